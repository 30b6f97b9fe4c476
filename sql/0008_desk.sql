-- The exceptions desk: rows of one state in order of urgency, however many there are. The text is
-- put into the row by its fold, so that the first hundred are a look into this index.

create index projection_row_desk
on projection_row (
    merchant, version, (data ->> 'state'), ((data -> 'row' ->> 'urgency') collate "C")
)
where projection = 'exceptions';
