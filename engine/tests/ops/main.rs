//! What is done to a whole data directory: backup, restore, a look into the past, the doctor.

mod backup;
mod doctor;
mod events;
mod inspect;
mod life;
