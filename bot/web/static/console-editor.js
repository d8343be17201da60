// The text editor for a rules file: CodeMirror over the page's textarea, which holds the text that is sent.
// Without JavaScript, or where this fails, the textarea itself is the editor.

const VIETNAMESE = {
  "Find": "Tìm", "Replace": "Thay bằng", "next": "tiếp", "previous": "trước", "all": "tất cả", "match case": "phân biệt hoa thường",
  "regexp": "biểu thức", "by word": "cả từ", "replace": "thay", "replace all": "thay tất cả", "close": "đóng",
  "current match": "kết quả hiện tại", "on line": "ở dòng", "replaced $ matches": "đã thay $ chỗ", "replaced match on line $": "đã thay ở dòng $",
  "Completions": "Gợi ý", "Diagnostics": "Lỗi", "No diagnostics": "Không có lỗi", "Fold line": "Thu gọn", "Unfold line": "Mở ra",
  "folded code": "phần đã thu gọn", "unfold": "mở ra", "Folded lines": "Các dòng đã thu gọn", "Unfolded lines": "Các dòng đã mở ra",
  "to": "đến", "Control character": "Ký tự ẩn", "Go to line": "Đến dòng", "go": "đi",
  "Selection deleted": "Đã xóa phần được chọn",
};
// Where CodeMirror's own English words are a programmer's.
const ENGLISH = {
  "regexp": "pattern", "by word": "whole words", "Completions": "Suggestions", "Diagnostics": "Problems", "No diagnostics": "No problems",
  "Control character": "Hidden character", "folded code": "folded lines",
};
// What stands over the text keeps this far from the window's edges, in pixels.
const EDGE = 8;
// CodeMirror draws these as data: images, which the page's security policy forbids.
const UNDERLINES = Object.fromEntries(["error", "warning", "info", "hint"].map((severity) => [
  `.cm-lintRange-${severity}`,
  {
    backgroundImage: "none", textDecoration: `underline wavy var(--${severity === "error" ? "bad" : "warn"}-strong) 1px`,
    textUnderlineOffset: "3px", textDecorationSkipInk: "none",
  },
]));

// The steps that can be undone are kept over a page load, in this tab alone.
const HISTORY_KEY = "console-check-history";
const MOST_STEPS = 100;
const MOST_HISTORY_CHARACTERS = 500_000;

/**
 * Put an editor in the place of `textarea`; resolves to `{goTo, diagnose, focus, write}`.
 *
 * `options`: `library` (URL of codemirror.js), `schema` (the JSON Schema of rules.yaml), `language` ("vi" or "en"),
 * `label` (what the field is called), `tools` (an element with buttons, each with a `data-command`), `fixLabel` (the
 * button that fixes a finding), `onFix` (called with the edits of the fix), `onChange` and `onSubmit` (called without
 * arguments).
 */
export async function mount(textarea, options) {
  const cm = await import(options.library);
  const host = document.createElement("div");
  host.className = "editor";
  const shadow = host.attachShadow({ mode: "open" });
  const view = new cm.EditorView({
    state: cm.EditorState.fromJSON(
      { doc: textarea.value, selection: { main: 0, ranges: [{ anchor: 0, head: 0 }] }, history: storedHistory(textarea.value) },
      { extensions: extensions(cm, textarea, options) },
      { history: cm.historyField },
    ),
    parent: shadow,
    root: shadow,
  });
  textarea.after(host);
  textarea.hidden = true;
  offerTools(cm, view, options.tools);
  window.addEventListener("pagehide", () => storeHistory(cm, view.state));
  return {
    focus: () => view.focus(),
    goTo(line) {
      const { from } = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines));
      view.dispatch({ selection: { anchor: from }, effects: cm.EditorView.scrollIntoView(from, { y: "center" }) });
      view.focus();
      host.scrollIntoView({ block: "nearest" });
    },
    /** Change what is different in `text`, as one step, and show it. */
    write(text) {
      const before = view.state.doc.toString();
      const most = Math.min(before.length, text.length);
      let from = 0;
      while (from < most && before[from] === text[from]) {
        from += 1;
      }
      let same = 0;
      while (same < most - from && before[before.length - 1 - same] === text[text.length - 1 - same]) {
        same += 1;
      }
      view.dispatch({
        changes: { from, to: before.length - same, insert: text.slice(from, text.length - same) },
        selection: { anchor: text.length - same },
        effects: cm.EditorView.scrollIntoView(from, { y: "center" }),
        userEvent: "input",
      });
    },
    diagnose(findings) {
      view.dispatch(cm.setDiagnostics(view.state, findings.map((finding) => diagnostic(view.state.doc, finding, options))));
    },
  };
}

function extensions(cm, textarea, options) {
  const phrases = options.language === "vi" ? VIETNAMESE : ENGLISH;
  const submit = () => {
    options.onSubmit();
    return true;
  };
  return [
    cm.lineNumbers(), cm.foldGutter(), cm.codeFolding(), hiddenCharacters(cm, phrases), cm.history(), cm.drawSelection(), cm.tooltips({ tooltipSpace }),
    cm.indentOnInput(), cm.bracketMatching(), cm.closeBrackets(), cm.highlightActiveLine(), cm.highlightActiveLineGutter(),
    cm.highlightSelectionMatches(), cm.search({ top: true }), cm.indentUnit.of("  "), cm.yaml(),
    cm.syntaxHighlighting(colours(cm)), theme(cm),
    cm.autocompletion({ override: [(context) => complete(cm, context, options)] }),
    cm.EditorView.contentAttributes.of({
      "aria-label": options.label, autocapitalize: "off", autocorrect: "off", spellcheck: "false", tabindex: "0",
    }),
    cm.EditorState.phrases.of(phrases),
    // Where a selection is typed over, Chromium would keep its colour by an inline style, which the policy forbids.
    cm.EditorView.domEventHandlers({
      beforeinput(event, view) {
        if (event.inputType !== "insertText" || view.composing || view.state.selection.main.empty) {
          return false;
        }
        view.dispatch(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
        event.preventDefault();
        return true;
      },
    }),
    cm.EditorView.updateListener.of((update) => {
      if (update.docChanged) {
        textarea.value = update.state.doc.toString();
        options.onChange();
      }
      showSteps(cm, update.state, options.tools);
    }),
    cm.keymap.of([
      { key: "Mod-s", run: submit, preventDefault: true },
      { key: "Mod-Enter", run: submit, preventDefault: true },
      // Tab moves on to the next field, as everywhere on the page: nobody is caught in the editor.
      ...cm.closeBracketsKeymap, ...cm.defaultKeymap, ...cm.searchKeymap, ...cm.historyKeymap, ...cm.foldKeymap,
      ...cm.completionKeymap, ...cm.lintKeymap,
    ]),
  ];
}

function tooltipSpace() {
  const { clientWidth, clientHeight } = document.documentElement;
  return { left: EDGE, top: EDGE, right: clientWidth - EDGE, bottom: clientHeight - EDGE };
}

/** Characters that nobody sees, with their number: CodeMirror has names for them in English alone. */
function hiddenCharacters(cm, phrases) {
  return cm.highlightSpecialChars({
    render(code, _description, placeholder) {
      const shown = document.createElement("span");
      shown.className = "cm-specialChar";
      shown.textContent = placeholder;
      shown.title = `${phrases["Control character"]} U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
      shown.setAttribute("role", "img");
      shown.setAttribute("aria-label", shown.title);
      return shown;
    },
  });
}

/** Buttons for what a telephone has no keys for. */
function offerTools(cm, view, tools) {
  const commands = {
    undo: cm.undo, redo: cm.redo, "indent-less": cm.indentLess, "indent-more": cm.indentMore, find: cm.openSearchPanel,
  };
  // Without this the editor would lose the focus, and a telephone put its keyboard away.
  tools.addEventListener("pointerdown", (event) => event.preventDefault());
  tools.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button && button.getAttribute("aria-disabled") !== "true") {
      commands[button.dataset.command](view);
      if (button.dataset.command !== "find" && event.detail > 0) { // not where the keyboard pressed it
        view.focus();
      }
    }
  });
  tools.hidden = false;
  showSteps(cm, view.state, tools);
}

function showSteps(cm, state, tools) {
  for (const [command, depth] of [["undo", cm.undoDepth(state)], ["redo", cm.redoDepth(state)]]) {
    tools.querySelector(`[data-command=${command}]`).setAttribute("aria-disabled", String(depth === 0));
  }
}

/** The steps that led to this text, as `storeHistory` left them; none if it is another text. */
function storedHistory(text) {
  try {
    const { mark, history } = JSON.parse(sessionStorage.getItem(HISTORY_KEY)) ?? {};
    if (mark === markOf(text)) {
      return history;
    }
  } catch {
    // Nothing that we wrote, or the browser keeps nothing: it begins without steps.
  }
  return { done: [], undone: [] };
}

function storeHistory(cm, state) {
  const { doc, history } = state.toJSON({ history: cm.historyField });
  let steps = MOST_STEPS;
  let text;
  do {
    const kept = { done: history.done.slice(-steps), undone: history.undone.slice(-steps) };
    text = JSON.stringify({ mark: markOf(doc), history: kept });
    steps = Math.floor(steps / 2);
  } while (text.length > MOST_HISTORY_CHARACTERS && steps > 0);
  try {
    sessionStorage.setItem(HISTORY_KEY, text.length > MOST_HISTORY_CHARACTERS ? "null" : text);
  } catch {
    // The browser keeps nothing; the text itself is with the server.
  }
}

/** Tells texts apart: their length, and 32 bits of FNV-1a. */
function markOf(text) {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return `${text.length} ${hash >>> 0}`;
}

function colours(cm) {
  const { tags } = cm;
  return cm.HighlightStyle.define([
    { tag: tags.comment, color: "var(--soft)" },
    { tag: [tags.definition(tags.propertyName), tags.propertyName], color: "var(--blue-deep)" },
    { tag: tags.string, color: "var(--good)" },
    { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace], color: "var(--warn)" },
  ]);
}

function theme(cm) {
  return cm.EditorView.theme({
    "&": { height: "100%", fontSize: "14px", backgroundColor: "var(--paper)", color: "var(--ink)" },
    "&.cm-focused": { outline: "none" },
    ".cm-scroller": { fontFamily: 'ui-monospace, "SF Mono", Menlo, "DejaVu Sans Mono", monospace', lineHeight: "1.55" },
    ".cm-content": { padding: "8px 0" },
    ".cm-gutters": { backgroundColor: "var(--page)", color: "var(--soft)", borderRight: "1px solid var(--line)" },
    ".cm-activeLine": { backgroundColor: "var(--blue-faint)" },
    ".cm-activeLineGutter": { backgroundColor: "var(--blue-pale)" },
    ".cm-cursor": { borderLeftColor: "var(--ink)" },
    "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
      backgroundColor: "var(--bubble)",
    },
    ".cm-foldPlaceholder": { backgroundColor: "var(--page)", borderColor: "var(--line)", color: "var(--soft)" },
    ".cm-panels": { backgroundColor: "var(--page)", color: "var(--ink)", borderColor: "var(--line)" },
    ".cm-panels .cm-button": {
      minHeight: "28px", padding: "2px 10px", borderRadius: "14px", fontSize: "14px", fontFamily: "system-ui, sans-serif",
      backgroundImage: "none", backgroundColor: "var(--paper)", borderColor: "var(--edge-soft)",
    },
    ".cm-panels .cm-textfield": { fontSize: "16px", backgroundColor: "var(--paper)", color: "var(--ink)", borderColor: "var(--edge)" },
    ".cm-panel.cm-search": { padding: "6px 32px 6px 8px" },
    ".cm-panel.cm-search label": { display: "inline-flex", alignItems: "center", minHeight: "24px", margin: "0 8px 0 0", fontSize: "14px", fontFamily: "system-ui, sans-serif" },
    ".cm-panel [name=close]": { minWidth: "28px", minHeight: "28px", color: "var(--ink)", fontSize: "18px" },
    ".cm-panel.cm-panel-lint ul": { maxHeight: "140px" },
    ".cm-panel.cm-panel-lint ul [aria-selected]": { backgroundColor: "var(--blue-pale)", color: "var(--ink)" },
    ".cm-panel.cm-panel-lint ul:focus [aria-selected]": { backgroundColor: "var(--blue-pale)", color: "var(--ink)" },
    ".cm-lintRange-active": { backgroundColor: "var(--bad-pale)" },
    ".cm-diagnostic-error": { borderLeftColor: "var(--bad-strong)" },
    ".cm-diagnostic-warning": { borderLeftColor: "var(--warn-strong)" },
    ".cm-specialChar": { color: "var(--bad)" },
    ".cm-selectionMatch": { backgroundColor: "var(--good-pale)" },
    ".cm-searchMatch": { backgroundColor: "var(--warn-pale)", outline: "1px solid var(--warn-edge)" },
    ".cm-searchMatch.cm-searchMatch-selected": { backgroundColor: "var(--warn-pale)", outline: "2px solid var(--warn-strong)" },
    ".cm-tooltip": {
      backgroundColor: "var(--paper)", borderColor: "var(--edge-soft)", color: "var(--ink)", maxWidth: "min(60ch, 90vw)", fontFamily: "system-ui, sans-serif",
    },
    ".cm-diagnostic": { whiteSpace: "pre-wrap", padding: "6px 10px" },
    ".cm-diagnosticAction": {
      display: "block", margin: "6px 0 0", minHeight: "28px", padding: "2px 10px", border: "1px solid var(--edge-soft)", borderRadius: "14px",
      backgroundColor: "var(--paper)", color: "var(--ink)",
    },
    ".cm-completionInfo": { maxWidth: "36ch", padding: "6px 10px" },
    ...UNDERLINES,
  });
}

/** A finding of the check (`line` and `column` count from 1, `column` in code points) as CodeMirror takes it. */
function diagnostic(doc, { line, column, length, severity, message, fix }, { fixLabel, onFix }) {
  const { from, to, text } = doc.line(Math.min(Math.max(line, 1), doc.lines));
  const letters = Array.from(text);
  const start = Math.min(from + letters.slice(0, column - 1).join("").length, to);
  const end = Math.min(start + Math.max(letters.slice(column - 1, column - 1 + length).join("").length, 1), to);
  const renderMessage = fix.length ? () => withButton(message, fixLabel, () => onFix(fix)) : undefined;
  return { from: Math.min(start, end), to: end, severity, message, renderMessage };
}

/** A message and a button: those that CodeMirror makes itself are called "Action" in English by screen readers. */
function withButton(message, label, work) {
  const shown = document.createElement("div");
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "cm-diagnosticAction", textContent: label });
  button.addEventListener("click", work);
  shown.append(message, button);
  return shown;
}

/** Keys and values that fit here, from the schema. */
function complete(cm, context, { schema, language }) {
  const word = context.matchBefore(/[\w-]*/);
  const line = context.state.doc.lineAt(context.pos);
  const before = line.text.slice(0, word.from - line.from);
  if (!schema || (word.from === word.to && !context.explicit) || before.includes("#")) {
    return null;
  }
  const path = pathTo(context.state.doc, line, before);
  const inValue = /([\w-]+):\s*\[?(?:[^\]]*,)?\s*["']?$/.exec(before);
  const options = inValue
    ? values(schema, [...path, inValue[1]])
    : /^[\s-]*$|[{,]\s*$/.test(before) ? keys(schema, path, language) : [];
  return options.length ? { from: word.from, options, validFor: /^[\w-]*$/ } : null;
}

/** The keys above this line, outermost first, as indentation tells them. */
function pathTo(doc, line, before) {
  const path = [];
  let limit = /^[\s-]*/.exec(before)[0].length;
  const inline = /([\w-]+):\s*\{[^}]*$/.exec(before);
  for (let number = line.number - 1; number > 0 && limit > 0; number -= 1) {
    const key = /^([\s-]*)([\w-]+):\s*(?:#.*)?$/.exec(doc.line(number).text);
    if (key && key[1].length < limit) {
      path.unshift(key[2]);
      limit = key[1].length;
    }
  }
  return inline ? [...path, inline[1]] : path;
}

/** Every schema that may stand where `path` leads. */
function schemasAt(schema, path) {
  const unfold = (node) => {
    if (!node || typeof node !== "object") {
      return [];
    }
    if (node.$ref) {
      return unfold(schema.$defs[node.$ref.split("/").pop()]);
    }
    return [node, ...[...(node.anyOf ?? []), node.items].flatMap(unfold)];
  };
  return path.reduce((nodes, key) => nodes.flatMap((node) => unfold(node.properties?.[key])), unfold(schema));
}

function keys(schema, path, language) {
  const found = new Map();
  for (const node of schemasAt(schema, path)) {
    for (const [label, { description = "" }] of Object.entries(node.properties ?? {})) {
      const [vi, en = vi] = description.split("\n\n");
      found.set(label, { label, type: "property", apply: `${label}: `, info: language === "vi" ? vi : en });
    }
  }
  return [...found.values()];
}

function values(schema, path) {
  const allowed = schemasAt(schema, path).flatMap((node) => node.enum ?? (node.type === "boolean" ? ["true", "false"] : []));
  return [...new Set(allowed)].map((label) => ({ label: String(label), type: "enum" }));
}
