-- Orders of a period, for the report on whose minutes they were and for the shop's metrics: by the
-- day of ordering, which is text in UTC and sorts as such. Of the read model "timings" alone.

create index projection_row_ordered
on projection_row (merchant, version, ((data -> 'row' ->> 'ordered_at') collate "C"), key)
where projection = 'timings';
