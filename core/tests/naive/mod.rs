//! A slow and obvious model of the machine, and the random lives that both go through.

mod act;
mod bonded;
mod bonds;
mod life;
mod model;
mod shelf;

pub(crate) use act::acts;
pub(crate) use bonds::{BondLife, bond_acts};
pub(crate) use life::Life;
