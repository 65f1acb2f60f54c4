// What a receiver does with a change of a job's status. `app` is the web framework's.
app.post("/webhook/job-status", (request, response) => {
  const change = request.body;
  console.log(`${change.jobId} is ${change.status}`);
  if (change.status === "DONE") {
    handleJobComplete(change.targetId, change.type, change.metadata);
  } else if (change.status === "ERROR") {
    handleJobError(change.jobId, change.metadata.error);
  }
  response.status(200).send("OK");
});
