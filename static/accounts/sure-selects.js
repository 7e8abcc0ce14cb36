// Searchable lists (Select2) choose from the answer to what was typed, and from nothing else.
//
// Select2 leaves the rows of the last search in place while the next one is under way, and Enter
// takes the first of them. Here Enter waits for the answer; a search that fails says so; whoever
// leaves the box before the answer came has chosen nothing, and a note says so.
"use strict";
(() => {
  const FAILED = "The search failed: nothing was chosen. Type again; if it fails again, reload this page.";
  const TIMEOUT = 30000;
  const FIELD = ".select2-search__field";
  let open = null; // the list that is open: Select2 opens one at a time
  let pressed = null; // the row on which the mouse button went down

  class List {
    constructor(container) {
      this.container = container;
      this.forget();
    }

    forget() {
      // "answered" is the text that the rows in sight answer; null while there are none.
      Object.assign(this, { typed: "", answered: null, isWanted: false, hasFailed: false, unchosen: "" });
    }

    // Nothing of an older search stays in sight while the next one is under way.
    ask(term) {
      this.forget();
      this.typed = this.unchosen = term || "";
      this.container.results.$results.children(":not(.loading-results)").remove();
      note(this.container, "");
    }

    answer(term) {
      this.answered = term || "";
      const isWanted = this.isWanted && this.answered === this.typed;
      this.isWanted = false;
      if (isWanted && this.container.isOpen()) this.container.trigger("results:select", {});
    }

    fail() {
      this.isWanted = false;
      this.hasFailed = true;
    }

    // Choose the first row as soon as the answer to this text is there.
    want(text) {
      if (this.typed !== text || this.hasFailed) this.container.trigger("query", { term: text });
      if (this.answered === text) this.container.trigger("results:select", {});
      else this.isWanted = text !== "";
    }

    chosen(byMouse) {
      this.unchosen = "";
      const field = this.container.$selection.find(FIELD); // where several may be chosen
      if (byMouse || !field.val() || !this.container.isOpen()) return;
      field.val("");
      this.container.trigger("query", { term: "" });
    }

    close() {
      if (this.unchosen) note(this.container, `“${this.unchosen}” was typed, and nothing was chosen.`);
      this.forget();
      if (open === this) open = null;
    }
  }

  function note(container, words) {
    const box = container.$container[0];
    let paragraph = box.parentElement?.querySelector(":scope > .select-note");
    if (!paragraph && !words) return;
    if (!paragraph) {
      paragraph = document.createElement("p");
      paragraph.className = "select-note";
      paragraph.setAttribute("role", "status");
      box.after(paragraph);
    }
    paragraph.textContent = words;
  }

  function watchRows(container) {
    const { results } = container;
    const { highlightFirstItem } = results;
    const list = new List(container);
    container.on("query", (params) => list.ask(params.term));
    container.listeners.query.unshift(container.listeners.query.pop()); // before there are rows
    container.on("results:all", (params) => list.answer(params.query.term));
    container.on("results:message", (params) => { if (params.message === "errorLoading") list.fail(); });
    container.on("open", () => {
      open = list;
      // Since jQuery 3.6 Select2 fails to: what is typed would go nowhere, and Enter take any row.
      container.dropdown.$search?.[0]?.focus();
    });
    container.on("select", (params) => list.chosen(Boolean(params?.originalEvent)));
    container.on("close", () => list.close());
    // Select2 would go to a row that is chosen already, whatever was typed.
    results.highlightFirstItem = () => {
      if (!list.typed) highlightFirstItem.call(results);
      else results.$results.find("[aria-selected]").first().trigger("mouseenter");
    };
  }

  function watchRequests(container) {
    const adapter = container.dataAdapter;
    const { query, ajaxOptions } = adapter;
    if (!ajaxOptions) return;
    let turn = 0;
    // A request that waits its turn is not sent once there is a newer one.
    adapter.query = (params, callback) => {
      clearTimeout(adapter._queryTimeout);
      const own = ++turn;
      query.call(adapter, params, (data) => { if (own === turn) callback(data); });
    };
    // Select2 takes a lost connection for a request it has called off, and a log-in page for an answer.
    const transport = (params, success, failure) => {
      const request = $.ajax(params);
      request.then(success, (_, reason) => { if (reason !== "abort") failure(); });
      return { abort: () => request.abort() };
    };
    Object.assign(ajaxOptions, { transport, timeout: TIMEOUT, dataType: "json" });
    container.options.get("translations").dict.errorLoading = () => FAILED;
  }

  function stop(event) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  function keydown(event) {
    if (!open || !event.target.matches?.(FIELD)) return;
    if (event.isComposing || event.keyCode === 229) { // the key belongs to the input method
      event.stopImmediatePropagation();
    } else if (event.key === "Enter" && open.answered !== event.target.value) {
      stop(event);
      open.want(event.target.value);
    }
  }

  // Select2 overlooks text that is pasted by the mouse after a key such as Enter.
  function input(event) {
    if (!open || !event.target.matches?.(FIELD) || open.typed === event.target.value) return;
    open.container.trigger("query", { term: event.target.value });
  }

  const rowOf = (event) => event.target.closest?.(".select2-results__option");

  function mouseup(event) {
    if (rowOf(event) && rowOf(event) !== pressed) stop(event); // the rows changed under the mouse
  }

  // Each list that is made from now on. Pages may load Select2 twice: the first one stays.
  const $ = window.django?.jQuery ?? window.jQuery;
  const { select2 } = $.fn;
  $.fn.select2 = Object.assign(function (...options) {
    const known = this.map((_, element) => $(element).data("select2")).get();
    const made = select2.apply(this, options);
    this.each((_, element) => {
      const container = $(element).data("select2");
      if (!container || known.includes(container)) return;
      watchRows(container);
      watchRequests(container);
    });
    return made;
  }, select2);
  document.addEventListener("keydown", keydown, true);
  document.addEventListener("input", input);
  document.addEventListener("mousedown", (event) => { pressed = rowOf(event); }, true);
  document.addEventListener("mouseup", mouseup, true);
})();
