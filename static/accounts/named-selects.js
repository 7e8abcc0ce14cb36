// Select2 names its boxes after their value alone: give them the name of their field as well.
"use strict";

const nameSelects = () => {
  for (const box of document.querySelectorAll(".select2-selection:not([data-named])")) {
    const select = box.closest(".select2-container").previousElementSibling;
    const label = select && document.querySelector(`label[for="${select.id}"]`);
    const value = box.querySelector(".select2-selection__rendered");
    if (!label || !value) continue;
    label.id ||= `${select.id}-label`;
    box.dataset.named = "";
    box.setAttribute("aria-labelledby", `${label.id} ${value.id}`);
    value.setAttribute("aria-labelledby", label.id);
  }
};

// Select2 comes when it likes, and again with each row that is added to a form.
document.addEventListener("DOMContentLoaded", () => {
  new MutationObserver(nameSelects).observe(document.body, { childList: true, subtree: true });
  nameSelects();
});
