-- The exceptions desk: rows of one state in order of urgency, however many there are. Both stand
-- first in a row, as the fourth and the tenth piece between quotes: taken so, no row is parsed. The
-- state has an expression of its own here, since the planner would take the index by states, whose
-- rows it then had to sort.

create index projection_row_desk
on projection_row (
    merchant,
    version,
    split_part(data::text, '"', 4),
    (split_part(data::text, '"', 10) collate "C")
)
where projection = 'exceptions';

-- Rows of before have another form. They are folded from the log again by whoever serves next.
delete from projection_row where projection = 'exceptions';
delete from projection_checkpoint where projection = 'exceptions';
