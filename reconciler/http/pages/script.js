// Progress as it happens, and nothing else: without this the page asks again by itself every few seconds.
"use strict";

for (const place of document.querySelectorAll("[data-events]")) {
  const events = new EventSource(place.dataset.events);
  events.addEventListener("state", (event) => {
    const told = JSON.parse(event.data);
    place.querySelector(".said").textContent = told.said;
    if (told.is_final) {
      events.close();
      location.reload();
    }
  });
}
