//! What is found out about a condition.

use super::Cause;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    Met,
    NotMet,
    /// It cannot be told.
    Unknown(Cause),
}

impl Finding {
    pub(super) const fn of(met: bool) -> Self {
        match met {
            true => Self::Met,
            false => Self::NotMet,
        }
    }

    /// Met where all are, not met where one is not, whatever the others are.
    pub(super) fn all(findings: impl Iterator<Item = Self>) -> Self {
        Self::settle(findings, Self::NotMet, Self::Met)
    }

    /// Met where one is, whatever the others are; not met where none is.
    pub(super) fn any(findings: impl Iterator<Item = Self>) -> Self {
        Self::settle(findings, Self::Met, Self::NotMet)
    }

    /// `decisive` where one finding is that, else the first unknown, else `otherwise`.
    fn settle(findings: impl Iterator<Item = Self>, decisive: Self, otherwise: Self) -> Self {
        let mut settled = otherwise;
        for finding in findings {
            if finding == decisive {
                return decisive;
            }
            if settled == otherwise {
                settled = finding;
            }
        }
        settled
    }
}
