-- exists: whether a table exists
SELECT to_regclass($1) IS NOT NULL;

-- sealed_otherwise: a page of texts that another key than $1 sealed, after the row $2
SELECT {row} AS place, {column} AS sealed FROM {table}
WHERE split_part({column}, '.', 1) <> $1 AND {row} > $2
ORDER BY {row} LIMIT 500;

-- replace: replaces sealed texts, unless a row has changed meanwhile
UPDATE {table} SET {column} = given.sealed
FROM unnest($1::text[], $2::text[], $3::text[]) AS given (place, before, sealed)
WHERE {table}.{row} = given.place AND {table}.{column} = given.before;
