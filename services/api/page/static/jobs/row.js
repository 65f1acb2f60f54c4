/** One job in the list: a link to its page. */
import { Ago, Foreign, Left } from "../parts/controls.js";
import { coarse } from "../parts/formats.js";
import { html } from "../parts/html.js";
import { Bar, Status } from "../parts/status.js";
import { jobHash } from "../state/places.js";
import { jobDetail, jobName } from "../state/shapes.js";
import { texts } from "../texts.js";

export function JobRow({ job }) {
  const running = job.status === "processing";
  return html`<a class="row" href=${jobHash(job.job_id)} data-job=${job.job_id}>
    <${Status} job=${job} />
    <span class="row-name"><${Foreign} text=${jobName(job)} title=${jobName(job).slice(0, 300)} /></span>
    <span class="row-type">${texts.types[job.job_type] || job.job_type}</span>
    <span class="row-detail">
      <span class="row-line"><${Foreign} text=${jobDetail(job, coarse)} /><${Left} of=${job} short /></span>
      ${running && html`<${Bar} percent=${job.progress ? job.progress.percent : 0} label=${texts.job.progress} />`}
    </span>
    <${Ago} time=${job.created_at} className="row-age" />
  </a>`;
}
