// What an empty dashboard shows: the tag that makes a site speak, ready to copy.

export function render({model, el}) {
  const back = make("div", "back")
  const card = make("div", "box")
  const tag = tag_box(() => tag_of(model.sdk_url, model.project === "*" ? "my-site" : model.project))
  card.append(
    make("h2", "", "Waiting for the first event"),
    make("p", "", "Put this tag into the pages of your site. Visitors show up here, as dots on the map, the moment they arrive."),
    tag.box,
  )
  back.append(card)
  el.append(back)
  const show = () => {
    back.hidden = !model.is_shown
    tag.show()
  }
  show()
  for (const name of ["is_shown", "project", "sdk_url"]) model.on(name, show)
}
