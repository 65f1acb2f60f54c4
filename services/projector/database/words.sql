-- The projector's statements about the words of jobs. The reader of job events notes jobs as unread, and removes the
-- words of erased ones; afterwards the content is read, and its words are written if the note is still the same.

-- note_unread: the content of these jobs of a partition ($1) changed
INSERT INTO read_v1.unread_jobs AS old (partition, job_id, sequence)
SELECT $1::int, * FROM unnest($2::text[], $3::int[])
ON CONFLICT (partition, job_id) DO UPDATE SET sequence = EXCLUDED.sequence;

-- forget_unread: these jobs of a partition were erased; before `forget_words`, which then sees all that was written
DELETE FROM read_v1.unread_jobs WHERE partition = $1 AND job_id = ANY ($2);

-- forget_words: these jobs were erased
DELETE FROM read_v1.job_words WHERE job_id = ANY ($1);

-- unread: some jobs of these partitions whose content is to be read
SELECT u.partition, u.job_id, u.sequence, j.state
FROM read_v1.unread_jobs u JOIN read_v1.jobs j USING (job_id)
WHERE u.partition = ANY ($1)
LIMIT $2;

-- write_words: the words of jobs that were read, except of those that were noted again or erased meanwhile
-- A note that is locked is about to be one of these: skipping it instead of waiting, this never waits in a circle.
WITH noted AS (
    SELECT u.partition, u.job_id, read.words
    FROM read_v1.unread_jobs u
    JOIN unnest($1::int[], $2::text[], $3::int[], $4::text[]) AS read (partition, job_id, sequence, words)
      ON u.partition = read.partition AND u.job_id = read.job_id AND u.sequence = read.sequence
    FOR UPDATE OF u SKIP LOCKED
), done AS (
    DELETE FROM read_v1.unread_jobs u USING noted
    WHERE u.partition = noted.partition AND u.job_id = noted.job_id
    RETURNING noted.job_id, array_to_tsvector(string_to_array(noted.words, ' ')) AS words
)
INSERT INTO read_v1.job_words AS old (job_id, owner, words)
SELECT done.job_id, j.owner, done.words FROM done JOIN read_v1.jobs j ON j.job_id = done.job_id
ON CONFLICT (job_id) DO UPDATE SET words = EXCLUDED.words;
