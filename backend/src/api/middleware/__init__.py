"""What every request passes on its way in and out; `app.py` has the order."""
