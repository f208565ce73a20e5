// Tells what happened: a toast for every notice and fault of a node, and what an edit did as text on its node.
// Shows frames while a video is made, and no widgets that have no effect.
// Speaks the user's language where the host does not translate: choices of widgets, notes and groups of our workflows.
import { app } from "../../scripts/app.js";
import { api } from "../../scripts/api.js";

const SUMMARY = "thfem_summary";
const STAGE = "$$node-text-preview"; // what the front end shows of the work going on; older ones leave it there
const FRAME = "thfem_frame";
const LONGEST_SUMMARY = 600; // characters; longer texts, such as tables, are drawn as pictures by their nodes
const SECONDS = { info: 6, warn: 15, error: 30 };

function showToast(level, title, text) {
  app.extensionManager.toast.add({ severity: level, summary: title, detail: text, life: 1000 * SECONDS[level] });
}

function titleOf(nodeId) {
  return app.graph.getNodeById(nodeId)?.title ?? "THFEM";
}

// The classic front end makes its upload button for inputs of any node that are called audio, but the player that this
// button needs for the host's own nodes alone.
function addPlayer(inputs) {
  if (!inputs?.upload || inputs.upload[0] !== "AUDIOUPLOAD") return;
  const { upload } = inputs;
  delete inputs.upload;
  Object.assign(inputs, { audioUI: ["AUDIO_UI", {}], upload });
}

// Graphs store the values of widgets by position, and hosts differ in widgets (drawn curves, options of a chosen back
// end). The names stand in the graph too: each widget gets its own value, choices first, as they bring more widgets.
function placeByName(node, saved) {
  const names = (saved.inputs ?? []).filter((each) => each.widget).map((each) => each.widget.name);
  const values = saved.widgets_values;
  if (!Array.isArray(values) || names.length !== values.length) return saved;
  const value = new Map(names.map((name, place) => [name, values[place]]));
  for (const widget of [...(node.widgets ?? [])]) if (value.has(widget.name)) widget.value = value.get(widget.name);
  const kept = (node.widgets ?? []).filter((each) => each.serialize !== false);
  const known = new Set((node.widgets ?? []).map((each) => each.name));
  // sockets of options that this host does not show would hang in the air
  const inputs = saved.inputs.filter(({ widget }) => !widget?.name.includes(".") || known.has(widget.name));
  return { ...saved, inputs, widgets_values: kept.map((each) => (value.has(each.name) ? value.get(each.name) : each.value)) };
}

function clearStages() {
  for (const node of ours()) {
    const stage = node.widgets?.find((each) => each.name === STAGE);
    if (stage) node.removeWidget(stage);
  }
}

function showSummary(node, text) {
  let widget = node.widgets?.find((each) => each.name === SUMMARY);
  if (!widget) {
    // made at the first run only, and never stored: saved graphs keep their widgets' places
    ({ widget } = app.widgets.STRING(node, SUMMARY, ["STRING", { multiline: true }], app));
    widget.label = choices.summary ?? "summary";
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

function showFrame(node, picture) {
  let widget = node.widgets?.find((each) => each.name === FRAME);
  if (!widget) {
    const image = document.createElement("img");
    image.style.objectFit = "contain";
    node.sizeBeforeFrame = [...node.size];
    widget = node.addDOMWidget(FRAME, "img", image, { serialize: false, getMinHeight: () => 160 });
    widget.serialize = false;
  }
  widget.element.src = picture;
}

function clearFrame(node) {
  const widget = node.widgets?.find((each) => each.name === FRAME);
  if (!widget) return;
  node.removeWidget(widget);
  node.setSize(node.sizeBeforeFrame);
}

// The classic front end cannot draw a curve, and shows a row that says so. The text of "curve" counts there.
function cannotBeDrawn({ value }) {
  return !LiteGraph.vueNodesMode && (value?.points ?? []).every(([, factor]) => factor === 1);
}

function bringsItsRate(node) {
  const types = (node.inputs ?? []).map(({ link }) => link != null && node.graph?.links.get(link)?.type);
  return types.includes("VIDEO") && !types.includes("IMAGE");
}

function hideUseless(node) {
  for (const widget of node.widgets ?? []) {
    if (widget.name === "strength_over_clip") widget.hidden = cannotBeDrawn(widget);
    if (widget.name === "fps") widget.hidden = bringsItsRate(node);
  }
}

function ours() {
  return app.graph._nodes.filter((node) => node.comfyClass?.startsWith("THFEM_"));
}

let language = "en";
let choices = {}; // English → the user's language

function translateChoices(node) {
  for (const { type, options } of node.widgets ?? []) {
    if (type === "combo" && options && !options.getOptionLabel)
      options.getOptionLabel = (value) => choices[value] ?? String(value);
  }
}

function translateWorkflow(graph) {
  const words = graph?.extra?.thfem_words?.[language] ?? {};
  for (const group of graph?._groups ?? []) group.title = words[group.title] ?? group.title;
  for (const node of graph?._nodes ?? []) {
    if (node.type !== "MarkdownNote") continue;
    node.title = words[node.title] ?? node.title;
    const widget = node.widgets?.[0];
    if (widget && words[widget.value]) widget.value = words[widget.value];
  }
}

app.registerExtension({
  name: "thfem.notices",
  async init() {
    language = app.extensionManager?.setting?.get("Comfy.Locale") ?? language;
    const translations = await api.getCustomNodesI18n?.().catch(() => null);
    choices = translations?.[language]?.thfem?.choices ?? {};
  },
  nodeCreated(node) {
    if (!node.comfyClass?.startsWith("THFEM_")) return;
    hideUseless(node);
    if (Object.keys(choices).length) translateChoices(node);
  },
  afterConfigureGraph() {
    translateWorkflow(app.graph);
    ours().forEach(hideUseless);
  },
  setup() {
    app.ui.settings.addEventListener("Comfy.VueNodes.Enabled.change", () => ours().forEach(hideUseless));
    api.addEventListener("thfem.notice", ({ detail: { level, node_id, title, text } }) => {
      showToast(level in SECONDS ? level : "info", title ?? titleOf(node_id), text);
    });
    api.addEventListener("thfem.frame", ({ detail: { node_id, picture } }) => {
      const node = app.graph.getNodeById(Number(String(node_id).split(":")[0])); // a blueprint's frames are on its node
      if (node) showFrame(node, picture);
    });
    for (const end of ["execution_success", "execution_error", "execution_interrupted"])
      api.addEventListener(end, () => {
        clearStages();
        ours().forEach(clearFrame);
      });
    // newer front ends say only that a node failed; what to do stands in the message
    api.addEventListener("execution_error", ({ detail: { node_id, node_type, exception_message } }) => {
      if (node_type?.startsWith("THFEM_")) showToast("error", titleOf(node_id), exception_message.trim());
    });
  },
  beforeRegisterNodeDef(nodeType, nodeData) {
    if (!nodeData.name.startsWith("THFEM_")) return;
    addPlayer(nodeData.input?.required);
    const configure = nodeType.prototype.configure;
    nodeType.prototype.configure = function (saved) {
      const { size } = saved;
      configure.call(this, placeByName(this, saved));
      if (size) this.setSize([size[0], Math.max(size[1], this.computeSize()[1])]); // choices shrink it
    };
    const connected = nodeType.prototype.onConnectionsChange;
    nodeType.prototype.onConnectionsChange = function (...change) {
      connected?.apply(this, change);
      hideUseless(this);
    };
    const executed = nodeType.prototype.onExecuted;
    nodeType.prototype.onExecuted = function (output) {
      clearFrame(this);
      executed?.call(this, output);
      const text = output?.text?.join("\n") ?? "";
      if (text && text.length <= LONGEST_SUMMARY) showSummary(this, text);
    };
  },
});
