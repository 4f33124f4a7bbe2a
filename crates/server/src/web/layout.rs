use maud::{DOCTYPE, Markup, html};

/// A whole page: the head, the navigation, and what is on it.
pub(crate) fn page(title: &str, content: &Markup) -> Markup {
    framed(
        title,
        &html! {
            header.top {
                a.brand href="/" { span.mark aria-hidden="true" {} "Straylight" }
                nav aria-label="Main" {
                    a href="/" { "Projects" }
                    a href="/hooks" { "Hooks" }
                    a href="/docs" { "API" }
                    button.quiet type="button" data-post="/logout" data-then="/login" { "Log out" }
                }
            }
            main #main { (content) }
            div #notice role="status" aria-live="polite" {}
        },
    )
}

/// A page without navigation, for those who are not logged in.
pub(crate) fn bare(title: &str, content: &Markup) -> Markup {
    framed(
        title,
        &html! { main #main.narrow { (content) } div #notice role="status" aria-live="polite" {} },
    )
}

fn framed(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Straylight" }
                link rel="icon" href="/static/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/static/app.css";
                script src="/static/app.js" defer {}
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                (body)
            }
        }
    }
}
