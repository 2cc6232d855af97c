"""What lint finds in autogenerate's own files, case by case, and why it stands there. All other cases are clean."""

_NO_ONLINE_WAY = {
    # An exclusion constraint, and a key WITHOUT OVERLAPS, have no index that could be built beforehand (PostgreSQL 18).
    "constraints: one comes": ("runs",),
    "constraints: deferrable": ("runs",),
    "constraints: another condition": ("runs",),
    "constraints: another operator": ("runs",),
    "constraints: by another method": ("runs",),
    "constraints: of an expression": ("blocking", "runs"),
    "constraints: of periods": ("blocking",),
    "keys: a temporal key under a temporal foreign key": ("blocking", "comes-back", "squawk"),
    # Without a key nothing can be copied row by row: a stored column and a domain with a rule rewrite the table.
    "columns: a type changes under a view of a view, a rule, a trigger, a policy and a generated column": ("runs",),
    "generated_columns: a generated column comes": ("runs",),
    "generated_columns: one of a text with a colon": ("runs",),
    "generated_columns: its expression changes": ("runs",),
    "generated_columns: its type changes": ("runs",),
    "generated_columns: the type of the column that it reads changes": ("runs",),
    "generated_columns: the type of the column that two of them read changes, under an index and a view": ("runs",),
    "generated_columns: it becomes a plain column that keeps its values": ("runs",),
    "generated_columns: a plain column becomes a generated one, under a view": ("runs",),
    "generated_columns: a stored one becomes a virtual one": ("runs",),
    "inheritance: a stored generated column of a partitioned table": ("runs",),
    "ordering: everything changes": ("runs",),
    "replaced_types: a range, with its multirange, arrays and a domain": ("runs",),
    "replaced_types: labels of an enum, under domains, arrays, a composite type and defaults": ("runs",),
    "replaced_types: a domain of a domain": ("runs",),
    "types: a domain comes with a column": ("runs",),
    "types: collation, default, not null, checks and comments": ("runs",),
    "vectors: stored plain, and counted on by a generated column": ("runs",),
    # The rows of the default partition are read for a new one, and those of a table that is not logged any more.
    "inheritance: a partition comes": ("blocking",),
    "tables: unlogged": ("blocking",),
    # The models say `no_rows`: the table is empty everywhere, and not here.
    "rows_that_exist: the models say that there are none": ("blocking", "squawk"),
    # An index that the old type or function cannot have is built when that is gone.
    "routines: other arguments, and whatever calls it fits both": ("comes-back",),
    "vectors: another kind, under an index": ("comes-back",),
    # Two tables in one revision.
    "identities: a larger type, of an identity and of a serial column": ("several-locks",),
    # squawk knows neither partitions nor the default of a domain.
    "inheritance: a key for all": ("squawk",),
    "rows_that_exist: the domain has a default": ("squawk",),
}
_OPEN = {
    # The numbers of a key are read by its own lock, where it has an index as well.
    "columns: a key changes to a type that is not comparable": ("blocking",),
    # A unique index with the name of a key is built when that is gone.
    "keys: an index becomes a constraint": ("comes-back",),
    # Autogenerate drops around a change what only comes back behind other work.
    "enums: a label goes from a type that is used in every way": ("runs",),
    "enums: another order in a type that is used in every way": ("runs",),
    "types: its base type changes under a table with rows and all that names it": ("runs",),
    # All rows get a value in one statement.
    "generated_columns: a virtual one becomes a plain one that keeps its values": ("every-row", "schema-and-data"),
    "row_types: a default": ("schema-and-data",),
    "row_types: a default, not NULL": ("schema-and-data",),
    "row_types: an identity": ("schema-and-data",),
    "row_types: a value of the application": ("schema-and-data",),
    "row_types: an identity of a table that others inherit from": ("schema-and-data",),
    # A CHECK is checked again by a new type of its column; a domain's could be NOT VALID first.
    "columns: an Enum that is a text with a check": ("blocking",),
    "replaced_types: a function that the check and the default of a domain call": ("blocking",),
    "types: a check of a domain with rows": ("blocking",),
    # A multirange has another type's name. In a typed table no column can be made beside another.
    "replaced_types: a range of which the subtype stays": ("runs",),
    "row_types: another type, of values that stay": ("runs",),
}
FOUND = _NO_ONLINE_WAY | _OPEN
NOT_TRIED = {
    "declared_objects: far tables",  # there is no such wrapper
    "replaced_types: a collation",  # it is there in the scratch database, and not in the case's
    "tables: another access method",  # it is not in the scratch database
    "keys: without overlaps",  # two cases of one name: `blocking`, as above
}
