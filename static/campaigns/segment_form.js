/* Makes the lists of a segment's form searchable, and tells the live panel when they change. */
"use strict";
(() => {
  const $ = window.django.jQuery;

  /* Whoever types "ger" means Germany sooner than Algeria; Enter takes the first. */
  function beginningFirst(found, select) {
    const typed = select.parentElement.querySelector(".select2-search__field").value.trim().toLowerCase();
    const begins = (option) => option.text.replace(/^[^\p{L}\p{N}]+/u, "").toLowerCase().startsWith(typed);
    return typed ? [...found].sort((one, other) => begins(other) - begins(one)) : found;
  }

  function searchable(select) {
    const options = { width: "100%", placeholder: "Any", closeOnSelect: false };
    if (select.dataset.url) {
      options.ajax = { url: select.dataset.url, delay: 250, data: (typed) => ({ term: typed.term || "" }) };
    }
    options.sorter = (found) => beginningFirst(found, select);
    const tell = () => select.dispatchEvent(new Event("change", { bubbles: true }));
    $(select).select2(options).on("select2:select select2:unselect select2:clear", tell);
    const field = select.parentElement.querySelector(".select2-search__field");
    if (field) field.setAttribute("aria-label", select.getAttribute("aria-label"));
  }

  function isOfDefinition(element) {
    return element.closest("[data-definition]");
  }

  /* What was counted for other criteria must not stand beside these. */
  function show(panel, words) {
    const told = document.createElement("p");
    told.className = "seg-counting";
    told.textContent = words;
    panel.replaceChildren(told);
  }

  function countAgain() {
    document.body.dispatchEvent(new Event("segment:changed"));
  }

  /* Some failures never reach the server, which offers the same button for its own. */
  function showFailed(panel) {
    show(panel, "unknown: the count failed");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "seg-button seg-quiet";
    button.dataset.countAgain = "";
    button.textContent = "Count again";
    panel.append(button);
  }

  function prepare(part) {
    part.querySelectorAll(".criterion-select:not(.select2-hidden-accessible)").forEach(searchable);
  }

  /* The rows came back from the server: go on in the one that is new. */
  function rowsCame(builder) {
    prepare(builder);
    const added = [...builder.querySelectorAll("[data-new]")].pop();
    added?.querySelector(":is(.seg-values :is(.select2-search__field, input), summary)")?.focus();
    countAgain();
  }

  /* The menu of what can be added: typing narrows it, Enter takes what begins so, Escape closes it. */
  function narrow(menu, typed) {
    const wanted = typed.trim().toLowerCase();
    for (const heading of menu.querySelectorAll(".seg-heading")) {
      const buttons = [...heading.querySelectorAll("button")];
      for (const button of buttons) button.hidden = !button.textContent.toLowerCase().includes(wanted);
      heading.hidden = buttons.every((button) => button.hidden);
    }
  }

  function menuKeys(event) {
    const menu = event.target.closest(".seg-menu");
    if (!menu) return;
    if (event.key === "Escape") {
      menu.open = false;
      menu.querySelector("summary").focus();
    } else if (event.key === "Enter" && event.target.matches(".seg-find")) {
      event.preventDefault();
      const found = [...menu.querySelectorAll(".seg-heading button:not([hidden])")];
      const typed = event.target.value.trim().toLowerCase();
      (found.find((button) => button.textContent.toLowerCase().startsWith(typed)) ?? found[0])?.click();
    }
  }

  function watchBuilder(form) {
    form.addEventListener("keydown", menuKeys);
    form.addEventListener("input", (event) => {
      if (event.target.matches(".seg-find")) narrow(event.target.closest(".seg-menu"), event.target.value);
    });
    form.addEventListener("toggle", (event) => {
      if (!event.target.open) return;
      event.target.querySelector(".seg-find")?.focus();
      event.target.scrollIntoView({ block: "nearest" });
    }, true);
    document.addEventListener("click", (event) => {
      for (const menu of form.querySelectorAll(".seg-menu[open]")) if (!menu.contains(event.target)) menu.open = false;
    });
    document.body.addEventListener("htmx:load", (event) => {
      if (event.detail.elt.id === "segment-builder") rowsCame(event.detail.elt);
    });
    for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
      document.body.addEventListener(failure, ({ detail: { elt } }) => {
        if (elt.matches(".seg-row-count")) elt.textContent = "unknown";
        const message = elt.closest("#segment-builder")?.querySelector("[data-message]");
        if (message && !elt.matches(".seg-row-count")) message.textContent = "Nothing was changed: the server did not answer. Try again.";
      });
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    prepare(document);
    const panel = document.getElementById("segment-live");
    const form = document.getElementById("segment_form");
    if (!panel || !form) return;
    // Django's own focusing misses the page when it is still hidden by the theme.
    if (document.activeElement === document.body && !form.elements.name?.value) form.elements.name?.focus();
    watchBuilder(form);
    form.addEventListener("change", (event) => {
      if (isOfDefinition(event.target)) countAgain();
    });
    panel.addEventListener("click", (event) => event.target.matches("[data-count-again]") && countAgain());
    const ours = (event) => event.detail.elt === panel;
    document.body.addEventListener("htmx:beforeRequest", (event) => ours(event) && show(panel, "counting…"));
    for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
      document.body.addEventListener(failure, (event) => ours(event) && showFailed(panel));
    }
  });
})();
