-- The monitor's list of SKUs: what needs a person first, then by SKU, however many there are. The
-- expression is the one of kcjl/projections/stockview.py, word by word. None of it parses a row.
create index projection_row_stock_need
on projection_row (
    merchant,
    version,
    (
        case
            when split_part(data::text, '"', 4) = 'refused' then 0
            when strpos(replace(data::text, '"drifted":""', ''), '"drifted":') > 0 then 1
            when strpos(data::text, '"gone":true') > 0 then 1
            when split_part(data::text, '"', 4) = 'unmatched' then 2
            when strpos(data::text, '"withheld":true') > 0 then 3
            when split_part(data::text, '"', 4) = 'unasked' then 4
            else 5
        end
    ),
    key
)
where projection = 'stock';

-- Products of one stock code: they share one figure.
create index projection_row_stock_code
on projection_row (merchant, version, (data -> 'row' ->> 'stock_code'))
where projection = 'stock';
