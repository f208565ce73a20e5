// Tells what happened: a toast for every notice and fault of a node, and what an edit did as text on its node.
import { app } from "../../scripts/app.js";
import { api } from "../../scripts/api.js";

const SUMMARY = "thfem_summary";
const LONGEST_SUMMARY = 600; // characters; longer texts, such as tables, are drawn as pictures by their nodes
const SECONDS = { info: 6, warn: 15, error: 30 };

function showToast(level, title, text) {
  app.extensionManager.toast.add({ severity: level, summary: title, detail: text, life: 1000 * SECONDS[level] });
}

function titleOf(nodeId) {
  return app.graph.getNodeById(nodeId)?.title ?? "THFEM";
}

function showSummary(node, text) {
  let widget = node.widgets?.find((each) => each.name === SUMMARY);
  if (!widget) {
    // made at the first run only, and never stored: saved graphs keep their widgets' places
    ({ widget } = app.widgets.STRING(node, SUMMARY, ["STRING", { multiline: true }], app));
    widget.label = "summary";
    widget.serialize = false;
    widget.options.serialize = false;
    widget.options.read_only = true;
    widget.options.getMinHeight = () => 60;
    widget.options.getMaxHeight = () => 90;
    if (widget.inputEl) widget.inputEl.readOnly = true;
  }
  widget.value = text;
  app.graph.setDirtyCanvas(true, false);
}

app.registerExtension({
  name: "thfem.notices",
  setup() {
    api.addEventListener("thfem.notice", ({ detail: { level, node_id, title, text } }) => {
      showToast(level in SECONDS ? level : "info", title ?? titleOf(node_id), text);
    });
    // newer front ends say only that a node failed; what to do stands in the message
    api.addEventListener("execution_error", ({ detail: { node_id, node_type, exception_message } }) => {
      if (node_type?.startsWith("THFEM_")) showToast("error", titleOf(node_id), exception_message.trim());
    });
  },
  beforeRegisterNodeDef(nodeType, nodeData) {
    if (!nodeData.name.startsWith("THFEM_")) return;
    const executed = nodeType.prototype.onExecuted;
    nodeType.prototype.onExecuted = function (output) {
      executed?.call(this, output);
      const text = output?.text?.join("\n") ?? "";
      if (text && text.length <= LONGEST_SUMMARY) showSummary(this, text);
    };
  },
});
