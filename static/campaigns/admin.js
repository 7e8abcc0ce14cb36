/* What every page of the admin needs beyond its theme: the keyboard, and a session that can end. */
"use strict";
(() => {
  /* The theme opens its filters, its menu and its sidebar by elements that only a mouse reaches. */
  const BY_MOUSE_ALONE = "[x-on\\:click]:not(a[href], button, input, summary, [tabindex], #changelist-filter-close)";
  const OPENS = { filterOpen: "#changelist-filter", openUserLinks: "nav:has(#logout-form)", sidebar: "#nav-sidebar" };
  const FIRST = ":is(a[href], button, select, input:not([type=hidden]), [tabindex='0']):not([tabindex='-1'], .select2-hidden-accessible)";
  let opener = null;

  function opened(element) {
    const click = element.getAttribute("x-on:click");
    const name = Object.keys(OPENS).find((each) => click.includes(each));
    return name ? document.querySelector(OPENS[name]) : null;
  }

  function isShown(element) {
    return element !== null && element.checkVisibility();
  }

  function enter(element) {
    const part = opened(element);
    const first = [...(part?.querySelectorAll(FIRST) ?? [])].find(isShown);
    if (!first) return;
    opener = element;
    first.focus();
  }

  function reachable(element) {
    element.tabIndex = 0;
    element.setAttribute("role", "button");
    if (element.matches(".material-symbols-outlined")) element.setAttribute("aria-label", "Show or hide the menu");
    element.addEventListener("keydown", (event) => {
      if (event.target !== element || !["Enter", " "].includes(event.key)) return;
      event.preventDefault();
      element.click();
      setTimeout(() => enter(element), 200); // the theme fades parts in
    });
  }

  function leave(event) {
    const part = opener && opened(opener);
    if (event.key !== "Escape" || !part?.contains(document.activeElement)) return;
    if (document.querySelector(".select2-container--open")) return;
    (part.querySelector("#changelist-filter-close") ?? opener).click();
    opener.focus();
    opener = null;
  }

  /* The theme's icons are words in a font of their own: nobody should hear "Filters filter_list". */
  function hush(icon) {
    const control = icon.closest("a, button, [role=button]");
    const words = control?.textContent.trim() !== icon.textContent.trim() || control.title || control.ariaLabel;
    if (control !== icon && words) icon.setAttribute("aria-hidden", "true");
  }

  /* Whoever was logged out meanwhile is sent to the log-in page, which must not land in a panel. */
  function isLogin(answer) {
    return new URL(answer.responseURL || "/", location.href).pathname.endsWith("/login/");
  }

  /* A part that holds what was typed says where messages go; one too small for them shows none. */
  function messagePlace(part) {
    if (part.hasAttribute("data-without-messages")) return null;
    return part.querySelector("[data-message]") ?? part;
  }

  function refuseLogin(event) {
    if (!isLogin(event.detail.xhr)) return;
    event.detail.shouldSwap = false;
    const link = document.createElement("a");
    link.href = event.detail.xhr.responseURL.split("?")[0];
    link.target = "_blank";
    link.className = "underline";
    link.textContent = "Log in again in another tab";
    const place = messagePlace(event.detail.target);
    if (place) place.replaceChildren("You were logged out. ", link, ", then go on here: nothing of this page is lost.");
  }

  /* Logging in makes a new token; a form that waited for it in another tab has the old one. */
  function renewTokens() {
    const token = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1];
    if (!token) return;
    for (const field of document.querySelectorAll("input[name=csrfmiddlewaretoken]")) field.value = token;
  }

  /* A second click would send the same form again. */
  const SAVES = ["_save", "_continue", "_addanother", "_save_and_sync"];
  const LONGEST = 60000; // milliseconds after which somebody may have stopped the page
  const sent = new Map(); // the buttons of each form under way, with their words

  function sendOnce(event) {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (sent.has(form)) {
      event.preventDefault();
      return;
    }
    const buttons = [...form.elements].filter((each) => each.type === "submit" && !each.disabled);
    sent.set(form, buttons.map((button) => [button, button.innerHTML]));
    setTimeout(() => { // the button that was clicked is sent with the form
      for (const button of buttons) button.disabled = true;
      if (SAVES.includes(event.submitter?.name)) event.submitter.textContent = "Saving…";
    });
    setTimeout(() => release(form), LONGEST);
  }

  function release(form) {
    for (const [button, words] of sent.get(form) ?? []) {
      button.disabled = false;
      button.innerHTML = words;
    }
    sent.delete(form);
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.addEventListener("submit", sendOnce);
    window.addEventListener("pageshow", (event) => event.persisted && [...sent.keys()].forEach(release));
    document.querySelectorAll(BY_MOUSE_ALONE).forEach(reachable);
    document.querySelectorAll(".material-symbols-outlined").forEach(hush);
    document.addEventListener("keydown", leave, true);
    document.addEventListener("htmx:beforeSwap", refuseLogin);
    window.addEventListener("focus", renewTokens);
  });
})();
