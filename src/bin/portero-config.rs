//! Tells what a configuration may hold, and what is wrong with one, without an Envoy.

fn main() {
    println!("{}", portero::config::schema::schema());
}
