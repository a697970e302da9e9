//! Forms in pages, as far as logging in needs them.

/// A form with the fields it would send as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Form {
    pub action: String,
    pub method: String,
    pub fields: Vec<(String, String)>,
}

/// All forms of a page. Only `input` fields count, and of the buttons none.
pub fn forms(page: &str) -> Vec<Form> {
    let mut forms: Vec<Form> = Vec::new();
    let mut open = false;
    for tag in page.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap_or_default();
        let name = tag
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        match (name.as_str(), forms.last_mut()) {
            ("form", _) => {
                open = true;
                forms.push(Form {
                    action: attribute(tag, "action").unwrap_or_default(),
                    method: attribute(tag, "method")
                        .unwrap_or_else(|| "get".to_owned())
                        .to_ascii_lowercase(),
                    fields: Vec::new(),
                });
            }
            ("/form", _) => open = false,
            ("input", Some(form)) if open => {
                let button = matches!(
                    attribute(tag, "type").as_deref(),
                    Some("submit" | "button" | "checkbox" | "image")
                );
                if let (Some(name), false) = (attribute(tag, "name"), button) {
                    form.fields
                        .push((name, attribute(tag, "value").unwrap_or_default()));
                }
            }
            _ => {}
        }
    }
    forms
}

/// The value of an attribute, in double, single or no quotes.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let mut rest = tag.split_once(char::is_whitespace)?.1;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        let end = rest.find(|c: char| c.is_whitespace() || c == '=')?;
        let (word, after) = rest.split_at(end);
        let Some(after) = after.trim_start().strip_prefix('=') else {
            rest = after;
            continue;
        };
        let after = after.trim_start();
        let (value, after) = match after.chars().next() {
            Some(quote @ ('"' | '\'')) => after.get(1..)?.split_once(quote)?,
            _ => after.split_once(char::is_whitespace).unwrap_or((after, "")),
        };
        if word.eq_ignore_ascii_case(name) {
            return Some(unescape(value));
        }
        rest = after;
    }
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let known = after
            .split_once(';')
            .and_then(|(entity, after)| Some((character(entity)?, after)));
        match known {
            Some((character, after)) => {
                out.push(character);
                rest = after;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out + rest
}

fn character(entity: &str) -> Option<char> {
    let code = match entity {
        "amp" => return Some('&'),
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "quot" => return Some('"'),
        "apos" => return Some('\''),
        _ => entity.strip_prefix('#')?,
    };
    let number = match code.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => code.parse().ok()?,
    };
    char::from_u32(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_form_is_read() {
        let page = r#"<p><form id=f method="POST" action="/go?a=1&amp;b=2"><input type=hidden name=x value='1 &#38; 2'>
            <input required name="login"><input type="submit" name="ok" value="Go"></form><input name="outside">"#;
        let fields = [("x", "1 & 2"), ("login", "")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec();
        assert_eq!(
            forms(page),
            [Form {
                action: "/go?a=1&b=2".to_owned(),
                method: "post".to_owned(),
                fields
            }]
        );
    }
}
