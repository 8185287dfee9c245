"use strict";

const TEXTS = {
  en: {
    language: "中文", model: "Model", question: "Question", send: "Ask", token: "Token", busy: "…",
    predict: "predict", explain: "which parts speak for the label?",
    similarity: "do they mean the same?", rank: "which means the same?",
    fill_mask: "fill in [MASK]", encode: "vector of the text",
    text: "Text", text_a: "First text", text_b: "Second text", others: "Texts to compare, one a line",
    context: "Passage", ask: "Question about the passage", choices: "Choices, one a line",
    speaks_for: "for", speaks_against: "against",
    computed: "computed by", same: "the same", other: "not the same", nothing: "nothing was found",
    failed: "The service does not answer.", unclear: "The service answered with status", milliseconds: "ms",
    first: "first text", second: "second text",
  },
  zh: {
    language: "English", model: "模型", question: "任务", send: "提交", token: "令牌", busy: "…",
    predict: "预测", explain: "哪些部分支持这个标签？",
    similarity: "两句话意思相同吗？", rank: "哪一句意思相同？",
    fill_mask: "填 [MASK]", encode: "文本向量",
    text: "文本", text_a: "第一句", text_b: "第二句", others: "要比较的文本，每行一句",
    context: "文章", ask: "关于文章的问题", choices: "选项，每行一个",
    speaks_for: "支持", speaks_against: "反对",
    computed: "计算：", same: "相同", other: "不同", nothing: "没有找到",
    failed: "服务没有回应。", unclear: "服务的回答状态为", milliseconds: "毫秒",
    first: "第一句", second: "第二句",
  },
};

const EXAMPLES = {
  text: "今天天气很好，我们去公园散步吧。", masked: "今天天气很[MASK]，我们去公园散步吧。",
  text_a: "我的手机丢了", text_b: "手机不见了怎么办", others: "手机不见了\n今天很冷\n手机坏了",
  context: "鲁迅1881年生于浙江绍兴，1936年在上海逝世。", ask: "鲁迅生于哪里？", choices: "绍兴\n上海",
};

const get = (id) => document.getElementById(id);
let language = navigator.language.startsWith("zh") ? "zh" : "en";
let models = [];
let form = 0; // Its number: each model and question has a new one.

function word(name) { return TEXTS[language][name] ?? name; }

function make(tag, text, ...children) {
  const element = document.createElement(tag);
  if (text) element.textContent = text;
  element.append(...children);
  return element;
}

// ---- The form: which texts a request has.

function fieldsOf(model, endpoint) {
  if (endpoint === "fill_mask") return [["text", "masked"]];
  if (endpoint === "similarity") return [["text_a"], ["text_b"]];
  if (endpoint === "rank") return [["text", "text_a"], ["others"]];
  if (endpoint === "encode") return [["text"]];
  if (model.kind === "reading") return [["ask"], ["context"]];
  if (model.kind === "choice") return [["context"], ["ask"], ["choices"]];
  return model.texts === 1 || model.kind === "tagging" ? [["text"]] : [["text_a"], ["text_b"]];
}

function showForm() {
  document.documentElement.lang = language;
  get("language").textContent = word("language");
  get("language").lang = language === "en" ? "zh" : "en";
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = word(element.dataset.text);
  const model = models[get("model").selectedIndex];
  form += 1;
  get("result").replaceChildren(); // It was the answer to another question.
  if (!model) return;
  const chosen = get("endpoint").value;
  get("endpoint").replaceChildren(...model.endpoints.map((name) => {
    const option = make("option", word(name));
    option.value = name;
    return option;
  }));
  if (model.endpoints.includes(chosen)) get("endpoint").value = chosen;
  get("runtime").textContent = `${word("computed")} ${model.runtime}`;
  const before = Object.fromEntries([...get("fields").querySelectorAll("textarea")].map((each) => [each.name, each.value]));
  get("fields").replaceChildren(...fieldsOf(model, get("endpoint").value).map(([name, example]) => {
    const area = make("textarea");
    area.name = example ?? name;
    area.value = before[area.name] ?? EXAMPLES[area.name];
    area.required = true;
    return make("label", null, make("span", word(name)), area);
  }));
}

// ---- The request.

function bodyOf(model, endpoint, texts) {
  const lines = (text) => text.split("\n").filter((line) => line.trim());
  if (endpoint === "rank") return { text: texts[0], others: lines(texts[1]), top_k: lines(texts[1]).length || 1 };
  if (endpoint === "similarity") return { inputs: [texts] };
  if (endpoint === "explain") return { input: texts.length === 1 ? texts[0] : texts };
  if (endpoint === "predict" && model.kind === "choice") return { inputs: [[texts[0], texts[1], ...lines(texts[2])]] };
  return { inputs: [texts.length === 1 ? texts[0] : texts] };
}

async function call(path, body) {
  const headers = { "Content-Type": "application/json" };
  if (get("token").value) headers.Authorization = `Bearer ${get("token").value}`;
  let answer;
  try {
    answer = await fetch(path, body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) });
  } catch {
    throw new Error(word("failed"));
  }
  if (answer.status === 401) get("token-field").hidden = false;
  const text = await answer.text();
  const content = parsed(text);
  if (answer.ok && content !== undefined) return content;
  throw new Error(told(content?.detail) || `${word("unclear")} ${answer.status}: ${text.slice(0, 200)}`);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function told(detail) {
  if (Array.isArray(detail)) return detail.map((each) => `${(each.loc ?? []).join(".")}: ${each.msg}`).join("; ");
  return typeof detail === "string" ? detail : "";
}

async function ask() {
  if (get("send").disabled) return; // The last question is not answered yet.
  if (!models.length) await loadModels();
  const model = models[get("model").selectedIndex];
  if (!model) return;
  const endpoint = get("endpoint").value;
  const texts = [...get("fields").querySelectorAll("textarea")].map((area) => area.value);
  const start = performance.now();
  const own = form;
  get("send").disabled = true;
  get("result").setAttribute("aria-busy", "true");
  try {
    const { outputs } = await call(`v1/models/${encodeURIComponent(model.name)}/${endpoint}`, bodyOf(model, endpoint, texts));
    const time = make("p", `${(performance.now() - start).toFixed(1)} ${word("milliseconds")}`);
    if (own === form) get("result").replaceChildren(...shown(model, endpoint, outputs, texts), time);
  } catch (error) {
    if (own === form) showError(error);
  } finally {
    get("send").disabled = false;
    get("result").setAttribute("aria-busy", "false");
  }
}

function showError(error) {
  const element = make("p", error.message);
  element.className = "error";
  element.setAttribute("role", "alert");
  get("result").replaceChildren(element);
}

// ---- The answer.

function bar(name, probability, said = `${(100 * probability).toFixed(1)} %`) {
  const meter = make("meter");
  meter.value = probability;
  meter.setAttribute("aria-label", `${name}: ${said}`);
  const row = make("div", null, make("span", name), meter, make("output", said));
  row.className = "bar";
  return row;
}

function highlighted(text, parts) {
  // Places count characters of Unicode, which JavaScript's strings do not.
  const characters = [...text];
  const box = make("p");
  box.className = "text";
  let place = 0;
  for (const part of parts) {
    const start = Math.max(place, part.start);
    box.append(characters.slice(place, start).join(""));
    const mark = make("mark", characters.slice(start, part.end).join(""));
    if (part.type) mark.append(make("small", part.type));
    box.append(mark);
    place = Math.max(place, part.end);
  }
  box.append(characters.slice(place).join(""));
  return box;
}

function signed(value) { return `${value < 0 ? "−" : "+"}${(100 * Math.abs(value)).toFixed(1)} %`; }

function weighed(text, parts, largest) {
  const box = highlighted(text, parts);
  [...box.querySelectorAll("mark")].forEach((mark, place) => {
    const { value } = parts[place];
    mark.className = value < 0 ? "against" : "for";
    mark.style.setProperty("--share", Math.abs(value) / largest);
    mark.title = signed(value);
    mark.setAttribute("aria-label", `${mark.textContent} ${signed(value)}`);
  });
  return box;
}

function explanation({ prediction, contributions }, texts) {
  const largest = Math.max(...contributions.map((each) => Math.abs(each.value)), 1e-6);
  const boxes = texts.map((text, number) => weighed(text, contributions.filter((each) => each.text === number), largest));
  const legend = make("p", null, ...[["for", "speaks_for"], ["against", "speaks_against"]].map(([kind, name]) => {
    const mark = make("mark", word(name));
    mark.className = kind;
    return mark;
  }));
  legend.className = "legend";
  const rows = [...contributions].sort((one, two) => Math.abs(two.value) - Math.abs(one.value)).slice(0, 8).map((each) => {
    const part = [...texts[each.text]].slice(each.start, each.end).join("");
    const row = bar(part, Math.abs(each.value) / largest, signed(each.value));
    if (texts.length > 1) row.firstChild.append(" ", make("small", word(each.text ? "second" : "first")));
    row.classList.add(each.value < 0 ? "against" : "for");
    return row;
  });
  return [make("h2", prediction), ...boxes, legend, ...rows];
}

function shown(model, endpoint, outputs, texts) {
  const [first] = outputs;
  if (endpoint === "fill_mask") {
    return first.map((candidates, place) => make(
      "section", null,
      make("h2", first.length > 1 ? `[MASK] ${place + 1}` : "[MASK]"),
      ...candidates.map((each) => bar(each.token, each.probability)),
    ));
  }
  if (endpoint === "explain") return explanation(first, texts);
  if (endpoint === "similarity") return [bar(word(first.similar ? "same" : "other"), first.probability)];
  if (endpoint === "rank") return outputs.map((each) => bar(each.text, each.probability));
  if (endpoint === "encode") {
    const box = make("p", first.map((value) => value.toFixed(4)).join("  "));
    box.className = "text";
    return [box];
  }
  if (first.probabilities) {
    const rows = Object.entries(first.probabilities).sort((one, two) => two[1] - one[1]).slice(0, 20);
    return [make("h2", String(first.prediction)), ...rows.map(([label, probability]) => bar(label, probability))];
  }
  if (model.kind === "tagging") {
    const parts = [...first.prediction].sort((one, two) => one.start - two.start);
    return parts.length ? [highlighted(texts[0], parts)] : [make("p", word("nothing"))];
  }
  if (model.kind === "reading") {
    return [make("h2", first.prediction || word("nothing")), highlighted(texts[1], first.prediction ? [first] : [])];
  }
  return [make("h2", String(first.prediction))];
}

// ---- The start.

async function loadModels() {
  try {
    models = (await call("v1/models")).models;
    get("model").replaceChildren(...models.map((model) => make("option", model.name)));
    showForm();
  } catch (error) {
    showForm();
    showError(error);
  }
}

get("language").addEventListener("click", () => {
  language = language === "en" ? "zh" : "en";
  showForm();
});
get("model").addEventListener("change", showForm);
get("endpoint").addEventListener("change", showForm);
get("token").addEventListener("change", loadModels);
get("form").addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
get("fields").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) get("form").requestSubmit();
});
loadModels();
