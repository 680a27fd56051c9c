const el = (tag, text, ...children) => { const e = document.createElement(tag); if (text) e.textContent = text; e.append(...children); return e }
let doc
const deref = s => s && s.$ref ? doc.components.schemas[s.$ref.split("/").pop()] : s
const typeOf = s => Array.isArray(s.type) ? s.type.filter(t => t !== "null").join(" or ") : s.type
// example makes a value that a schema describes.
function example(s, depth = 0) {
  s = deref(s)
  if (!s || depth > 5) return null
  if (s.examples) return s.examples[0]
  if (s.default !== undefined) return s.default
  if (s.enum) return s.enum[0]
  switch (typeOf(s)) {
    case "object": {
      const o = {}
      for (const [k, v] of Object.entries(s.properties || {})) o[k] = example(v, depth + 1)
      return o
    }
    case "array": return [example(s.items, depth + 1)]
    case "integer": case "number": return 0
    case "boolean": return false
    case "string": return s.format === "date-time" ? "2025-01-01T00:00:00Z" : "text"
  }
  return {}
}
const json = s => el("pre", JSON.stringify(example(s), null, 2))
function fields(s) {
  s = deref(s)
  const t = el("table")
  for (const [name, f] of Object.entries((s && s.properties) || {})) {
    const d = deref(f)
    t.append(el("tr", "", el("td", name), el("td", typeOf(d) || "any"), el("td", (s.required || []).includes(name) ? "required" : ""), el("td", f.description || d.description || "")))
  }
  return t
}
function route(path, method, op) {
  const d = el("details", "", el("summary", "", el("b", method.toUpperCase()), el("code", path), el("span", op.summary)))
  d.addEventListener("toggle", () => {
    if (d.childElementCount > 1) return
    const box = el("div"); box.className = "in"
    if (op.description) box.append(el("p", op.description))
    if (op.parameters && op.parameters.length) {
      const t = el("table")
      for (const p of op.parameters) t.append(el("tr", "", el("td", p.name), el("td", p.in), el("td", p.required ? "required" : ""), el("td", p.description || "")))
      box.append(el("h4", "Parameters · 参数"), t)
    }
    const body = op.requestBody && Object.values(op.requestBody.content)[0]
    if (body) box.append(el("h4", "Body · 请求"), fields(body.schema), json(body.schema))
    for (const [status, r] of Object.entries(op.responses || {})) {
      const c = r.content && Object.values(r.content)[0]
      if (c && status[0] === "2") box.append(el("h4", status + " · 响应"), fields(c.schema), json(c.schema))
    }
    const data = body ? " \\\n  -H 'Content-Type: application/json' -d '" + JSON.stringify(example(body.schema)) + "'" : ""
    box.append(el("pre", `curl -X ${method.toUpperCase()} ${location.origin}${path}` + (op.security ? ' \\\n  -H "Authorization: Bearer $MATOU_TOKEN"' : "") + data))
    d.append(box)
  })
  d.dataset.text = (method + " " + path + " " + op.summary).toLowerCase()
  return d
}
fetch("/api/openapi.json").then(r => r.json()).then(d => {
  doc = d
  document.getElementById("about").textContent = d.info.title + " " + d.info.version + ". " + d.info.description
  const groups = new Map()
  for (const [path, methods] of Object.entries(d.paths)) for (const [method, op] of Object.entries(methods)) {
    const tag = (op.tags || ["Other"])[0]
    if (!groups.has(tag)) groups.set(tag, el("section", "", el("h2", tag)))
    groups.get(tag).append(route(path, method, op))
  }
  document.getElementById("routes").append(...groups.values())
}).catch(e => { document.getElementById("error").textContent = "The description cannot be loaded: " + e })
document.getElementById("find").addEventListener("input", e => {
  const words = e.target.value.toLowerCase().split(/\s+/).filter(Boolean)
  for (const d of document.querySelectorAll("details")) d.hidden = !words.every(w => d.dataset.text.includes(w))
  for (const s of document.querySelectorAll("section")) s.hidden = !s.querySelector("details:not([hidden])")
})
