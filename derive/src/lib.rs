//! `#[derive(Read)]`: how a type of the raw configuration is read, for `config::read`.
//!
//! What `serde` derives keeps every field in hand until the last one is there, which is several times
//! the code: a configuration has more than a hundred fields, and Envoy compiles all of it at every
//! start. The attributes are `serde`'s own, because the schema is made from them as well.

use std::fmt::Write as _;

use proc_macro::{Delimiter, Group, TokenStream, TokenTree};

/// Reads a struct from an object that may have these keys and no others, or an enum from the name of
/// a variant, alone or as the only key of an object.
///
/// Understands `#[serde(deny_unknown_fields)]`, which a struct must have, `#[serde(rename = "...")]`
/// on a field and `#[serde(rename_all = "snake_case")]` on an enum.
#[proc_macro_derive(Read, attributes(serde))]
pub fn derive_read(input: TokenStream) -> TokenStream {
    let mut tokens = input.into_iter().peekable();
    let attributes = attributes(&mut tokens);
    skip_visibility(&mut tokens);
    let kind = word(&mut tokens);
    let name = word(&mut tokens);
    let body = match tokens.next() {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => group,
        _ => panic!("only structs with named fields and enums are read"),
    };
    let read = match kind.as_str() {
        "struct" => {
            assert!(attributes.denies, "{name} must deny unknown fields");
            let fields = fields(body);
            format!(
                "let fields = cursor.fields({}, ledger)?; Some({})",
                names(&fields),
                construction("Self", &fields)
            )
        }
        _ => choice(&variants(body, attributes.snake_case)),
    };
    let read = format!(
        "impl crate::config::read::Read for {name} {{
            fn read(
                cursor: crate::config::read::Cursor<'_>,
                ledger: &mut crate::config::fault::Ledger,
            ) -> Option<Self> {{ {read} }}
        }}"
    );
    read.parse().expect("what is written here is Rust")
}

type Tokens = std::iter::Peekable<proc_macro::token_stream::IntoIter>;

#[derive(Default)]
struct Attributes {
    denies: bool,
    snake_case: bool,
    rename: Option<String>,
}

/// A field or a variant: its name here, and in a configuration.
struct Named {
    name: String,
    key: String,
}

struct Variant {
    named: Named,
    content: Content,
}

enum Content {
    Nothing,
    One,
    Fields(Vec<Named>),
}

/// Takes the attributes that come next.
fn attributes(tokens: &mut Tokens) -> Attributes {
    let mut attributes = Attributes::default();
    while matches!(tokens.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == '#') {
        tokens.next();
        let Some(TokenTree::Group(group)) = tokens.next() else {
            panic!("an attribute has brackets");
        };
        let mut inside = group.stream().into_iter();
        match (inside.next(), inside.next()) {
            (Some(TokenTree::Ident(path)), Some(TokenTree::Group(group)))
                if path.to_string() == "serde" =>
            {
                serde_attributes(&group, &mut attributes);
            }
            _ => {}
        }
    }
    attributes
}

fn serde_attributes(group: &Group, attributes: &mut Attributes) {
    for attribute in group.stream().to_string().split(',') {
        let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
        let value = value.trim().trim_matches('"');
        match (name.trim(), value) {
            ("deny_unknown_fields", "") => attributes.denies = true,
            ("rename_all", "snake_case") => attributes.snake_case = true,
            ("rename", value) => attributes.rename = Some(value.to_owned()),
            _ => panic!("the attribute {attribute} is not understood"),
        }
    }
}

fn skip_visibility(tokens: &mut Tokens) {
    if matches!(tokens.peek(), Some(TokenTree::Ident(ident)) if ident.to_string() == "pub") {
        tokens.next();
        if matches!(tokens.peek(), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis)
        {
            tokens.next();
        }
    }
}

fn word(tokens: &mut Tokens) -> String {
    match tokens.next() {
        Some(TokenTree::Ident(ident)) => ident.to_string(),
        other => panic!("expected a name, found {other:?}"),
    }
}

/// Takes everything up to the next comma that is not inside of `<...>`.
fn skip_to_comma(tokens: &mut Tokens) {
    let mut depth = 0_usize;
    for token in tokens {
        if let TokenTree::Punct(punct) = token {
            match punct.as_char() {
                ',' if depth == 0 => return,
                '<' => depth += 1,
                '>' => depth -= 1,
                _ => {}
            }
        }
    }
}

fn fields(body: Group) -> Vec<Named> {
    let mut fields = Vec::new();
    let mut tokens = body.stream().into_iter().peekable();
    while tokens.peek().is_some() {
        let attributes = attributes(&mut tokens);
        skip_visibility(&mut tokens);
        let name = word(&mut tokens);
        skip_to_comma(&mut tokens);
        let key = attributes.rename.unwrap_or_else(|| name.clone());
        fields.push(Named { name, key });
    }
    fields
}

fn variants(body: Group, snake_case: bool) -> Vec<Variant> {
    let mut variants = Vec::new();
    let mut tokens = body.stream().into_iter().peekable();
    while tokens.peek().is_some() {
        attributes(&mut tokens);
        let name = word(&mut tokens);
        let content = match tokens.peek() {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                Content::Fields(fields(group.clone()))
            }
            Some(TokenTree::Group(_)) => Content::One,
            _ => Content::Nothing,
        };
        skip_to_comma(&mut tokens);
        let key = if snake_case {
            snake(&name)
        } else {
            name.clone()
        };
        let named = Named { name, key };
        variants.push(Variant { named, content });
    }
    variants
}

fn snake(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

/// The keys as a list.
fn names<'a>(named: impl IntoIterator<Item = &'a Named>) -> String {
    let keys: Vec<&str> = named.into_iter().map(|named| named.key.as_str()).collect();
    format!("&{keys:?}")
}

fn construction(what: &str, named: &[Named]) -> String {
    let mut text = format!("{what} {{ ");
    for Named { name, key } in named {
        let _ = write!(text, "{name}: fields.field({key:?}, ledger), ");
    }
    text.push('}');
    text
}

fn choice(variants: &[Variant]) -> String {
    let names = names(variants.iter().map(|variant| &variant.named));
    let mut text = format!(
        "let choice = cursor.choice({names}, ledger)?;
        match choice.index {{ "
    );
    for (index, variant) in variants.iter().enumerate() {
        let name = &variant.named.name;
        let read = match &variant.content {
            Content::Nothing => format!("choice.alone(ledger).then_some(Self::{name})"),
            Content::One => format!("choice.content(ledger).map(Self::{name})"),
            // Its keys are looked at though there may be none.
            Content::Fields(fields) if fields.is_empty() => {
                format!("choice.fields(&[], ledger)?; Some(Self::{name} {{}})",)
            }
            Content::Fields(fields) => format!(
                "let fields = choice.fields({}, ledger)?; Some({})",
                self::names(fields),
                construction(&format!("Self::{name}"), fields)
            ),
        };
        // There is no other index than those of the names.
        let index = if index + 1 == variants.len() {
            "_".to_owned()
        } else {
            index.to_string()
        };
        let _ = write!(text, "{index} => {{ {read} }} ");
    }
    text.push('}');
    text
}
