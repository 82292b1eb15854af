//! What the shelf keeps: rows by number, places, keys and payloads, and the rules that every cut must keep.

use std::collections::BTreeMap;

use mainstay_core::{
    Bytes, Cut, CutRow, KeyClass, KeyRow, Loader, Machine, ObjectClass, ObjectRow, PlaceRow,
    RowKind, RunColumns, RunId, TaskColumns, TaskId, TenantId, Text, limits,
};

/// A row as the last cut gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kept {
    image: Vec<u8>,
    live: bool,
}

/// Everything that was committed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Shelf {
    pub(crate) through: u64,
    meta: Vec<u8>,
    places: BTreeMap<u32, PlaceRow>,
    tasks: BTreeMap<u64, Kept>,
    runs: BTreeMap<u64, Kept>,
    task_ids: BTreeMap<TaskId, u64>,
    run_ids: BTreeMap<RunId, u64>,
    keys: BTreeMap<(TenantId, KeyClass, Text), KeyRow>,
    objects: BTreeMap<(ObjectClass, TenantId, Text), ObjectRow>,
    pub(crate) payloads: BTreeMap<u64, Bytes>,
}

impl Shelf {
    /// Takes a cut in, all of it, and checks what every cut promises.
    pub(crate) fn commit(&mut self, cut: Cut) {
        assert!(cut.through >= self.through, "cuts come in order");
        for place in &cut.places {
            self.places.insert(place.place, place.clone());
        }
        let last = self.places.last_key_value().map(|(last, _)| *last);
        let dense = last.map_or(0, |last| last as usize + 1);
        assert_eq!(self.places.len(), dense, "places are numbered from 0 on");
        let mut heavy = Vec::new();
        for row in &cut.rows {
            match row.kind {
                RowKind::Task => heavy.extend(self.put_task(row, cut.image(row))),
                RowKind::Run => self.put_run(row, cut.image(row)),
            }
        }
        let mut given: Vec<u64> = cut.payloads.iter().map(|(number, _)| *number).collect();
        given.sort_unstable();
        heavy.sort_unstable();
        for (number, bytes) in &cut.payloads {
            // A task that goes on brings its payload once more.
            let known = self.payloads.get(number);
            assert!(known.is_none_or(|known| known == bytes));
            assert!(known.is_some() || heavy.contains(number));
        }
        assert!(
            heavy.iter().all(|number| given.contains(number)),
            "payloads come with fresh rows"
        );
        self.payloads.extend(cut.payloads);
        for mark in &cut.marks {
            let kept = self.runs.get_mut(&mark.number).expect("a mark of a run");
            assert!(!kept.live, "a mark of a run that is finished");
            kept.image.extend(&mark.tail);
        }
        for key in cut.keys {
            let scope = (key.tenant, key.class, key.key.clone());
            self.keys.insert(scope, key);
        }
        for object in cut.objects {
            let name = (object.class, object.tenant, object.key.clone());
            if object.is_gone() {
                self.objects.remove(&name);
            } else {
                self.objects.insert(name, object);
            }
        }
        (self.through, self.meta) = (cut.through, cut.meta);
        self.check_counts();
    }

    /// Gives the number of a fresh task whose payload must come beside it.
    fn put_task(&mut self, row: &CutRow, image: &[u8]) -> Option<u64> {
        let columns = TaskColumns::read(image).expect("an image of a task");
        let place = &self.places[&columns.place];
        assert_eq!(place.tenant, TenantId::DEFAULT);
        assert_eq!(row.number, columns.number);
        // A task may also stay because of its schedule, its descendants or its dependents.
        let goes_on = columns.runs_live > 0 || columns.goes_on || columns.has_live_descendants;
        assert!(row.live || !goes_on, "{row:?}");
        put(&mut self.tasks, row, image);
        let stands = columns.payload_bytes as usize <= limits::PAYLOAD_INLINE_BYTES;
        assert_eq!(columns.payload_stored, !stands);
        let before = self.task_ids.insert(columns.id, row.number);
        assert!(before.is_none_or(|before| before == row.number));
        (columns.payload_stored && row.fresh).then_some(row.number)
    }

    fn put_run(&mut self, row: &CutRow, image: &[u8]) {
        let columns = RunColumns::read(image).expect("an image of a run");
        assert_eq!(row.number, columns.number);
        assert_eq!(row.live, !columns.state.is_terminal(), "{row:?}");
        assert_eq!(columns.held.is_some(), columns.state.is_held());
        let task = self.tasks.get(&columns.task);
        let task = task.expect("a task comes before its runs");
        let task = TaskColumns::read(&task.image).expect("an image of a task");
        assert_eq!(task.place, columns.place);
        if task.runs_total == 1 {
            assert_eq!(task.first_run, columns.number, "policy `once`");
        }
        put(&mut self.runs, row, image);
        let before = self.run_ids.insert(columns.id, row.number);
        assert!(before.is_none_or(|before| before == row.number));
    }

    /// The places count exactly the rows that were ever cut.
    fn check_counts(&self) {
        let mut counted: BTreeMap<u32, ([u64; 9], u64)> = BTreeMap::new();
        for kept in self.runs.values() {
            let run = RunColumns::read(&kept.image).expect("an image of a run");
            let counted = counted.entry(run.place).or_default();
            counted.0[run.state as usize] += 1;
            counted.1 += u64::from(run.is_dead_letter());
        }
        for (number, place) in &self.places {
            let counted = counted.get(number).copied().unwrap_or_default();
            let told = (place.counts, place.dead_letters);
            assert_eq!(told, counted, "place {number}");
        }
    }

    /// A machine of what was committed. `fresh`: as from a snapshot, with payloads, for a shelf that holds none of its live rows.
    pub(crate) fn load(&self, seed: u64, fresh: bool) -> Machine {
        let places: Vec<PlaceRow> = self.places.values().cloned().collect();
        let loader = Loader::new(seed, &self.meta, &places, fresh);
        let mut loader = loader.expect("meta and places as a machine gave them");
        for object in self.objects.values() {
            loader.object(object).expect("an object as it was cut");
        }
        for (number, task) in self.tasks.iter().filter(|(_, task)| task.live) {
            loader.task(&task.image).expect("a task as it was cut");
            if let Some(payload) = self.payloads.get(number).filter(|_| fresh) {
                loader.payload(payload.clone());
            }
        }
        for run in self.runs.values().filter(|run| run.live) {
            loader.run(&run.image).expect("a run as it was cut");
        }
        loader.finish()
    }

    /// Loads what was committed and cuts it again: nothing of it may have changed.
    pub(crate) fn check_round_trip(&self) {
        if self.through == 0 {
            return;
        }
        let mut machine = self.load(5, true);
        assert_eq!(machine.verify(), Ok(()));
        let cut = machine.take_cut();
        assert_eq!((cut.through, &cut.meta), (self.through, &self.meta));
        assert_eq!(
            cut.places,
            self.places.values().cloned().collect::<Vec<_>>()
        );
        let mut objects = cut.objects.clone();
        objects.sort_by_key(|object| (object.class, object.tenant, object.key.clone()));
        assert_eq!(objects, self.objects.values().cloned().collect::<Vec<_>>());
        let live = |rows: &BTreeMap<u64, Kept>| rows.values().filter(|row| row.live).count();
        assert_eq!(cut.rows.len(), live(&self.tasks) + live(&self.runs));
        for row in &cut.rows {
            let rows = match row.kind {
                RowKind::Task => &self.tasks,
                RowKind::Run => &self.runs,
            };
            assert_eq!(cut.image(row), rows[&row.number].image, "{row:?}");
        }
    }

    /// What a snapshot leaves behind: finished rows stay, live ones will come again.
    pub(crate) fn forget_live(&mut self) {
        for (number, _) in self.tasks.iter().filter(|(_, task)| task.live) {
            self.payloads.remove(number);
        }
        self.tasks.retain(|_, task| !task.live);
        self.runs.retain(|_, run| !run.live);
        let (tasks, runs) = (&self.tasks, &self.runs);
        self.task_ids.retain(|_, number| tasks.contains_key(number));
        self.run_ids.retain(|_, number| runs.contains_key(number));
        self.places.clear();
    }

    /// Whether a committed cut holds the end of this run.
    pub(crate) fn holds_end_of(&self, run: RunId) -> bool {
        let number = self.run_ids.get(&run);
        number.is_some_and(|number| !self.runs[number].live)
    }

    pub(super) fn places(&self) -> impl Iterator<Item = &PlaceRow> {
        self.places.values()
    }

    /// A task's image with those of its runs.
    pub(super) fn task(&self, id: TaskId) -> Option<(&[u8], Vec<&[u8]>)> {
        let number = self.task_ids.get(&id)?;
        let task = &self.tasks[number].image;
        let runs = self.runs.values().map(|run| &run.image[..]);
        let is_its = |run: &&[u8]| RunColumns::read(run).expect("an image").task == *number;
        Some((task, runs.filter(is_its).collect()))
    }

    /// A run's image with that of its task.
    pub(super) fn run(&self, id: RunId) -> Option<(&[u8], Vec<&[u8]>)> {
        let run = &self.runs[self.run_ids.get(&id)?].image;
        let task = RunColumns::read(run).expect("an image").task;
        // A snapshot may have left it without its task.
        Some((&self.tasks.get(&task)?.image, vec![run]))
    }

    /// The payload of a run's task, by the task's number.
    pub(super) fn payload_of(&self, id: RunId) -> Option<(u64, Bytes)> {
        let run = &self.runs[self.run_ids.get(&id)?].image;
        let task = RunColumns::read(run).expect("an image").task;
        self.payloads.get(&task).map(|bytes| (task, bytes.clone()))
    }

    pub(super) fn key(&self, tenant: TenantId, class: KeyClass, key: &Text) -> Option<&KeyRow> {
        self.keys.get(&(tenant, class, key.clone()))
    }
}

fn put(rows: &mut BTreeMap<u64, Kept>, row: &CutRow, image: &[u8]) {
    let (image, live) = (image.to_vec(), row.live);
    let before = rows.insert(row.number, Kept { image, live });
    assert_eq!(row.fresh, before.is_none(), "fresh exactly once: {row:?}");
    // A task may go on; of a run that has ended only what became of it is told.
    let ended = before.filter(|before| !before.live && row.kind == RowKind::Run);
    let same = ended.is_none_or(|before| rows[&row.number].image.starts_with(&before.image));
    assert!(same, "a finished row changed: {row:?}");
}
