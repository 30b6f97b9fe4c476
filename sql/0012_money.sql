-- The transaction lines of one payout, and those that no payout has yet: in order of their keys,
-- however many lines there are of others.

create index projection_row_cycle
on projection_row (
    merchant,
    version,
    coalesce(data -> 'row' -> 'seen' ->> 'cycle_id', ''),
    key
)
where projection = 'settlement_lines';
