// Lists: ticks all on a page, and closes a menu when somebody looks elsewhere. Without this file everything still works.

for (const all of document.querySelectorAll("[data-tick-all]")) {
  const boxes = [...all.closest("table").querySelectorAll('input[type="checkbox"][name]')];
  const show = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    all.checked = ticked > 0 && ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
  };
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
  });
  for (const box of boxes) box.addEventListener("change", show);
  show();
}

const menus = [...document.querySelectorAll("details.drop-menu")];
const close = (but) => {
  for (const menu of menus) if (menu !== but) menu.open = false;
};
addEventListener("click", (event) => close(event.target.closest("details.drop-menu")));
addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = menus.find((menu) => menu.open);
  close();
  open?.querySelector("summary").focus();
});
