"""The page inside a notebook: a widget for Jupyter, VS Code and marimo, where anywidget is installed."""

from __future__ import annotations

from typing import Any

from tracer.page.page import render_page
from tracer.run.passes import AnyProblem, Trace

HEIGHT = 720  # pixels of the page in a notebook; it scrolls
# The page is a document of its own, so that neither its styles nor its scripts meet the notebook's.
SCRIPT = """
function isDark(element) {  // whatever the notebook: by what is behind the page
  for (let at = element; at; at = at.parentElement) {
    const [red, green, blue, opaque = 1] = getComputedStyle(at).backgroundColor.match(/[\\d.]+/g).map(Number);
    if (opaque > 0) return 0.299 * red + 0.587 * green + 0.114 * blue < 128;
  }
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

export default {
  render({ model, el }) {
    const readable = document.getElementById(model.get("replaces"));
    if (readable) readable.style.display = "none";
    const frame = document.createElement("iframe");
    frame.setAttribute("sandbox", "allow-scripts allow-forms allow-same-origin allow-popups");
    frame.title = model.get("title");
    frame.style.cssText = `width:100%;height:${model.get("height")}px;border:1px solid #9e9e9e`;
    const address = URL.createObjectURL(new Blob([model.get("page")], { type: "text/html" }));
    frame.src = address;  // an address of its own, which a step of the page may add its name to
    const follow = () => {
      const page = frame.contentDocument;
      if (page && el.isConnected) page.documentElement.dataset.theme = isDark(el) ? "dark" : "light";
    };
    frame.addEventListener("load", follow);
    const themes = new MutationObserver(() => setTimeout(follow, 200));  // once its new style sheet is there
    for (const each of [document.documentElement, document.body])
      themes.observe(each, { attributes: true, attributeFilter: ["class", "data-jp-theme-light", "data-theme"] });
    el.appendChild(frame);
    return () => {
      themes.disconnect();
      URL.revokeObjectURL(address);
    };
  },
};
"""


def page_widget(trace: Trace[AnyProblem], replaces: str = "") -> dict[str, Any]:
    """What a notebook shows as the page, by its media type; nothing where anywidget is not installed.

    `replaces` is the name of an element that is hidden once the page is there.
    """
    made = widget_of(trace, replaces)
    shown = None if made is None else made._repr_mimebundle_()
    found = shown[0] if isinstance(shown, tuple) else shown
    return {key: value for key, value in (found or {}).items() if key not in ("text/plain", "text/html")}


def widget_of(trace: Trace[AnyProblem], replaces: str = "") -> Any:
    """The widget with the page; None where anywidget is not installed."""
    try:
        import anywidget
        import traitlets
    except ModuleNotFoundError:
        return None

    class PageWidget(anywidget.AnyWidget):
        """The page of a run."""

        _esm = SCRIPT
        page = traitlets.Unicode().tag(sync=True)
        title = traitlets.Unicode().tag(sync=True)
        replaces = traitlets.Unicode().tag(sync=True)
        height = traitlets.Int(HEIGHT).tag(sync=True)

    return PageWidget(page=render_page(trace), title=trace.problem.title, replaces=replaces)
