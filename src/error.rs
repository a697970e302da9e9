//! What can go wrong at request time.

mod token;

pub use token::TokenFault;
