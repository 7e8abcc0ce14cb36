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
    const label = document.querySelector(`label[for="${select.id}"]`);
    const field = select.parentElement.querySelector(".select2-search__field");
    if (label && field) field.setAttribute("aria-label", label.textContent.trim());
  }

  function isOfDefinition(element) {
    return element.matches("[data-criterion], [name=match]");
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

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(".criterion-select").forEach(searchable);
    const panel = document.getElementById("segment-live");
    const form = document.getElementById("segment_form");
    if (!panel || !form) return;
    // Django's own focusing misses the page when it is still hidden by the theme.
    if (document.activeElement === document.body && !form.elements.name?.value) form.elements.name?.focus();
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
