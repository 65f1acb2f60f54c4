/** A try of a template on a text: a job, and its result. */
import { useEffect, useState } from "preact/hooks";
import { Button, Problem } from "../parts/controls.js";
import { html } from "../parts/html.js";
import { Status } from "../parts/status.js";
import { Result } from "../job/result.js";
import { Followed } from "../job/store.js";
import { call, drawKey } from "../state/api.js";
import { explain, explainJob } from "../state/errors.js";
import { jobHash } from "../state/places.js";
import { ended } from "../state/shapes.js";
import { texts } from "../texts.js";

const t = texts.templates.trial;
const MOST = 100000; // characters of a text that a job takes

/** Try the template of a name, or a changed `content`. */
export function Trial({ name, content }) {
  const [state, setState] = useState({});
  const submit = async (event) => {
    event.preventDefault();
    const text = event.currentTarget.elements.namedItem("text").value;
    if (!text.trim()) return setState({ wrong: t.noText });
    if (content !== undefined && !content.trim()) return setState({ wrong: t.noTemplate });
    setState({ busy: true });
    const parameters = { text, ...(content === undefined ? { template: name } : { template_content: content }) };
    try {
      const made = await call("POST", "/api/jobs/", { body: { job_type: "transformer", parameters }, headers: { "Idempotency-Key": drawKey() } });
      setState({ id: made.job_id });
    } catch (error) {
      setState({ error });
    }
  };
  return html`<section class="card part trial" aria-labelledby="trial-title"><h2 id="trial-title">${t.title}</h2><p class="hint">${t.lead}</p>
    <form onSubmit=${submit} novalidate><div class="field"><label for="trial-text">${t.text}</label>
      <textarea id="trial-text" name="text" rows="8" dir="auto" maxlength=${MOST} aria-invalid=${Boolean(state.wrong)} aria-describedby="trial-wrong"></textarea>
      <p class="hint wrong" id="trial-wrong" role="alert">${state.wrong}</p></div>
      <button class="button primary" type="submit" disabled=${state.busy}>${t.run}</button></form>
    ${state.error && html`<${Problem} ...${explain(state.error)} />`}
    ${state.id && html`<${Outcome} key=${state.id} id=${state.id} />`}</section>`;
}

function Outcome({ id }) {
  const [followed, setFollowed] = useState(null);
  useEffect(() => {
    const following = new Followed(id);
    setFollowed(following);
    return () => following.close();
  }, [id]);
  const job = followed && followed.job.value;
  const problem = followed && followed.problem.value;
  if (problem && (!job || problem.status === 404)) {
    return html`<${Problem} ...${explain(problem)}><${Button} icon="again" onClick=${() => followed.read()}>${texts.jobs.retry}<//><//>`;
  }
  if (!job) return html`<p class="hint" role="status">${t.running}</p>`;
  return html`<div class="outcome"><p class="line"><span role="status">${ended(job) ? html`<${Status} job=${job} />` : t.running}</span><a href=${jobHash(id)}>${t.job}</a></p>
    ${job.error && html`<${Problem} ...${explainJob(job.error)} />`}
    ${job.results && html`<div class="panel"><${Result} job=${job} /></div>`}</div>`;
}
