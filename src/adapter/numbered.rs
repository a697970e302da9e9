//! Things by the numbers that the host gives them, which grow.

/// A map as a list in the order of its numbers. A tree of such things would be several kilobytes of
/// code for each type, and a new number nearly always goes to the end.
pub struct Numbered<T>(Vec<(u32, T)>);

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Numbered<T> {
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn get(&self, number: u32) -> Option<&T> {
        let place = self.place(number).ok()?;
        self.0.get(place).map(|(_, value)| value)
    }

    /// Puts a value in place of any of that number.
    pub fn insert(&mut self, number: u32, value: T) {
        match self.place(number) {
            Ok(place) => {
                if let Some(entry) = self.0.get_mut(place) {
                    entry.1 = value;
                }
            }
            Err(place) => self.0.insert(place, (number, value)),
        }
    }

    pub fn remove(&mut self, number: u32) -> Option<T> {
        let place = self.place(number).ok()?;
        Some(self.0.remove(place).1)
    }

    pub fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        self.0.retain(|(_, value)| keep(value));
    }

    fn place(&self, number: u32) -> Result<usize, usize> {
        self.0.binary_search_by_key(&number, |(number, _)| *number)
    }
}
