// Shows how the jobs of the day stand, and says what has changed since it last looked.
const known = new Map();

async function look() {
  const reply = await fetch("https://api.devana.ai/v1/jobs?limit=50", {
    headers: { Authorization: "Bearer YOUR_API_KEY" },
  });
  const { data } = await reply.json();
  for (const job of data) {
    const before = known.get(job.id);
    if (before && before.status !== job.status) {
      console.log(`${job.id}: ${before.status} to ${job.status}${job.error ? ` - ${job.error}` : ""}`);
    }
    known.set(job.id, job);
  }
  const count = (status) => [...known.values()].filter((job) => job.status === status).length;
  console.log(
    `Total: ${known.size}\nPending: ${count("PENDING")}\nIn Progress: ${count("IN_PROGRESS")}\n` +
      `Completed: ${count("DONE")}\nErrors: ${count("ERROR")}`
  );
}

look();
setInterval(look, 5000);
