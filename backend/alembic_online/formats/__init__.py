"""What was found, for whoever reads it: a terminal, a program, a pull request, a code scanner, a browser.

A verb makes a `Report` of what it found, and each file here is one way to write it. Nothing in it knows the verb.
"""
