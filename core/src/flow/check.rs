//! What a definition as a whole must keep to: its graph, its groups, and that every path leads somewhere.
//! Owns: every check that looks at more than one field.
//! Never: looks at a value that only a run has.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::definition::{Collect, Definition, Dispatch, Join, OutputForm, Step, TaskWork, Work};
use super::diagnostic::Problem;
use super::path::{Path, Root};
use super::reading::{Reading, below};
use super::value::Value;
use crate::limits;

/// Steps that stand side by side, and those around them.
struct Level<'a> {
    steps: &'a [Step],
    /// Where they stand.
    at: &'a str,
    places: BTreeMap<&'a str, usize>,
    /// The level around a loop, and the loop's place in it.
    around: Option<(&'a Level<'a>, usize)>,
}

/// What all levels share.
struct Whole<'a> {
    definition: &'a Definition,
    /// Every step's name, with how often there is one.
    names: BTreeMap<&'a str, usize>,
}

/// Where a path stands, which is what it may name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// Before there are items: a condition, or the list of a `for_each`.
    Before,
    /// In what each item is given.
    Item,
    /// After the step has completed.
    After,
}

pub(super) fn check(definition: &Definition, reading: &mut Reading) {
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    definition.walk(&mut |step| *names.entry(&step.name).or_default() += 1);
    let total: usize = names.values().sum();
    if total > limits::FLOW_STEPS_MAX {
        let message = format!(
            "{total} steps; a flow has at most {}",
            limits::FLOW_STEPS_MAX
        );
        reading.tell(Problem::TooManySteps, "steps", message);
        return;
    }
    for (name, _) in names.iter().filter(|(_, count)| **count > 1) {
        let message = format!("`{name}` comes twice; a name stands for one step of the whole flow");
        reading.tell(Problem::DuplicateStep, below("steps", name), message);
    }
    let whole = Whole { definition, names };
    whole.level(&Level::of(&definition.steps, "steps", None), reading);
}

impl<'a> Level<'a> {
    fn of(steps: &'a [Step], at: &'a str, around: Option<(&'a Level<'a>, usize)>) -> Level<'a> {
        let places = steps.iter().enumerate();
        Level {
            steps,
            at,
            places: places
                .map(|(place, step)| (step.name.as_str(), place))
                .collect(),
            around,
        }
    }

    /// The places of what a step waits for.
    fn needs(&self, place: usize) -> impl Iterator<Item = usize> {
        let needs = self.steps[place].needs.iter();
        needs.filter_map(|need| self.places.get(need.step.as_str()).copied())
    }

    /// Whether a step comes before another one, whatever way.
    fn comes_before(&self, earlier: usize, place: usize) -> bool {
        let mut seen = BTreeSet::new();
        let mut open: Vec<usize> = self.needs(place).collect();
        while let Some(at) = open.pop() {
            if at == earlier {
                return true;
            }
            if seen.insert(at) {
                open.extend(self.needs(at));
            }
        }
        false
    }

    /// Steps that wait for each other in a ring, in the order in which they wait.
    fn ring(&self) -> Option<Vec<&'a str>> {
        let mut waiting: Vec<usize> = (0..self.steps.len())
            .map(|place| self.needs(place).filter(|need| *need != place).count())
            .collect();
        let mut after: Vec<Vec<usize>> = vec![Vec::new(); self.steps.len()];
        for place in 0..self.steps.len() {
            for need in self.needs(place).filter(|need| *need != place) {
                after[need].push(place);
            }
        }
        let mut free: Vec<usize> = (0..waiting.len()).filter(|at| waiting[*at] == 0).collect();
        while let Some(at) = free.pop() {
            for next in &after[at] {
                waiting[*next] -= 1;
                if waiting[*next] == 0 {
                    free.push(*next);
                }
            }
        }
        // Whoever still waits is in a ring or behind one: going from need to need ends in it.
        let mut at = waiting.iter().position(|count| *count > 0)?;
        let mut way: Vec<usize> = Vec::new();
        loop {
            if let Some(begins) = way.iter().position(|seen| *seen == at) {
                let ring = way[begins..].iter();
                return Some(ring.map(|place| self.steps[*place].name.as_str()).collect());
            }
            way.push(at);
            at = self
                .needs(at)
                .find(|need| *need != at && waiting[*need] > 0)?;
        }
    }
}

impl<'a> Whole<'a> {
    fn level(&self, level: &Level<'_>, reading: &mut Reading) {
        if let Some(ring) = level.ring() {
            let at = below(level.at, ring[0]);
            let message = format!("{} → {}", ring.join(" → "), ring[0]);
            reading.tell(Problem::CycleDetected, at, message);
        }
        groups(level, reading);
        for (place, step) in level.steps.iter().enumerate() {
            let at = below(level.at, &step.name);
            needs(level, place, &at, reading);
            self.shape(step, &at, reading);
            self.paths(level, place, &at, reading);
            if let Work::Loop(body) = &step.work {
                let at = below(&at, "repeat.steps");
                let inner = Level::of(&body.steps, &at, Some((level, place)));
                self.level(&inner, reading);
                let until = below(below(level.at, &step.name).as_str(), "repeat.until");
                body.until.paths(&mut |path| {
                    self.path_within(&inner, path, &until, reading);
                });
            }
        }
    }

    /// What the fields of one step say together.
    fn shape(&self, step: &Step, at: &str, reading: &mut Reading) {
        let most = self.definition.max_duration_ms;
        if let (Some(own), Some(most)) = (step.timeout_ms, most)
            && own > most
        {
            let message = format!("{own} ms; the flow may take {most} ms");
            reading.tell(
                Problem::TimeoutExceedsFlowLimit,
                below(at, "timeout_ms"),
                message,
            );
        }
        let is_many = step.dispatch != Dispatch::One;
        if is_many && !matches!(step.work, Work::Task(_) | Work::Flow { .. }) {
            let message = "only a task or a flow is done for each of many";
            reading.tell(Problem::InvalidField, at, message);
        }
        match step.collect {
            Collect::Quorum(n) if !is_many && n > 1 => {
                let message = format!("{n} of one run");
                reading.tell(Problem::QuorumUnreachable, below(at, "collect"), message);
            }
            _ => {}
        }
        let one_is_enough = matches!(step.collect, Collect::Any | Collect::Quorum(1));
        if is_many && step.output == OutputForm::Value && !one_is_enough {
            let message = "`value` is the output of one run; many make a `map` or a `list`";
            reading.tell(Problem::InvalidField, below(at, "output"), message);
        }
    }

    /// Every path of a step.
    fn paths(&self, level: &Level<'_>, place: usize, at: &str, reading: &mut Reading) {
        let step = &level.steps[place];
        let mut look = |path: &Path, location: &str, how: Use| {
            self.path(level, place, path, (location, how), reading);
        };
        if let Some(when) = &step.when {
            let at = below(at, "when");
            when.paths(&mut |path| look(path, &at, Use::Before));
        }
        if let Dispatch::ForEach(path) = &step.dispatch {
            look(path, &below(at, "for_each"), Use::Before);
        }
        let input = match &step.work {
            Work::Task(TaskWork { input, .. }) | Work::Flow { params: input, .. } => Some(input),
            _ => None,
        };
        if let Some(input) = input {
            let at = below(at, "input");
            input.paths(&mut |path| look(path, &at, Use::Item));
        }
        if let Some(undo) = &step.compensate {
            let at = below(at, "compensate.input");
            undo.input.paths(&mut |path| look(path, &at, Use::After));
        }
    }

    fn path(
        &self,
        level: &Level<'_>,
        place: usize,
        path: &Path,
        (location, how): (&str, Use),
        reading: &mut Reading,
    ) {
        let step = &level.steps[place];
        match &path.root {
            Root::Step(name) if *name == step.name && how == Use::After => {}
            Root::Step(name) => match level.places.get(name.as_str()) {
                Some(named) if level.comes_before(*named, place) => {}
                Some(_) => {
                    let message = format!("`{}` does not wait for `{name}`", step.name);
                    reading.tell(Problem::TemplateNotAnAncestor, location, message);
                }
                None => self.path_around(level, path, location, reading),
            },
            Root::Item | Root::Index => {
                let is_each = matches!(step.dispatch, Dispatch::ForEach(_));
                if !is_each || how == Use::Before {
                    let message = format!(
                        "there is no `{path}` here: it belongs to what a `for_each` gives each item"
                    );
                    reading.tell(Problem::TemplateUnknownPath, location, message);
                }
            }
            Root::Params | Root::Iteration => self.path_around(level, path, location, reading),
        }
    }

    /// A path in the condition that ends a loop: it may name whatever the body does.
    fn path_within(&self, inner: &Level<'_>, path: &Path, location: &str, reading: &mut Reading) {
        match &path.root {
            Root::Step(name) if inner.places.contains_key(name.as_str()) => {}
            Root::Item | Root::Index => {
                let message = format!("there is no `{path}` here");
                reading.tell(Problem::TemplateUnknownPath, location, message);
            }
            _ => self.path_around(inner, path, location, reading),
        }
    }

    /// A path to what is not of the step's own level.
    fn path_around(&self, level: &Level<'_>, path: &Path, location: &str, reading: &mut Reading) {
        let unknown = |message: String, reading: &mut Reading| {
            reading.tell(Problem::TemplateUnknownPath, location, message);
        };
        match (&path.root, level.around) {
            (Root::Params, _) => {
                if let Some(first) = path.parts.first().filter(|first| !self.may_have(first)) {
                    unknown(
                        format!("the schema of the parameters knows no `{first}`"),
                        reading,
                    );
                }
            }
            (Root::Iteration, Some(_)) => {}
            (Root::Iteration, None) => {
                unknown(
                    "there is no `iteration` outside a loop".to_string(),
                    reading,
                );
            }
            (Root::Step(name), Some((outer, place))) => match outer.places.get(name.as_str()) {
                Some(named) if outer.comes_before(*named, place) => {}
                Some(_) => {
                    let around = &outer.steps[place].name;
                    let message = format!("`{around}`, around this, does not wait for `{name}`");
                    reading.tell(Problem::TemplateNotAnAncestor, location, message);
                }
                None => self.path_around(outer, path, location, reading),
            },
            (Root::Step(name), None) => {
                let message = match self.names.contains_key(name.as_str()) {
                    true => format!("`{name}` stands in a loop and cannot be seen from outside"),
                    false => format!("there is no step `{name}`"),
                };
                unknown(message, reading);
            }
            (Root::Item | Root::Index, _) => {}
        }
    }

    /// Whether the parameters may have a member of this name, as far as their schema says so plainly.
    fn may_have(&self, name: &str) -> bool {
        let Some(schema) = &self.definition.params_schema else {
            return true;
        };
        let is_closed = schema.get("additionalProperties") == Some(&Value::Bool(false))
            && schema.get("patternProperties").is_none();
        let known = schema.get("properties").and_then(|all| all.get(name));
        !is_closed || known.is_some()
    }
}

/// What a step waits for is there, and is not the step itself.
fn needs(level: &Level<'_>, place: usize, at: &str, reading: &mut Reading) {
    let step = &level.steps[place];
    let at = below(at, "needs");
    for need in &step.needs {
        if need.step == step.name {
            let message = format!("`{}` waits for itself", step.name);
            reading.tell(Problem::SelfDependency, at.clone(), message);
        } else if !level.places.contains_key(need.step.as_str()) {
            let message = format!("there is no step `{}` beside this one", need.step);
            reading.tell(Problem::UnknownStep, at.clone(), message);
        }
    }
    let group = |name: &str| {
        let place = level.places.get(name)?;
        level.steps[*place].branch.as_deref()
    };
    let mut groups: Vec<&str> = step
        .needs
        .iter()
        .filter_map(|need| group(&need.step))
        .collect();
    groups.sort_unstable();
    let exclude = groups.windows(2).any(|pair| pair[0] == pair[1]);
    if step.join == Join::Any && step.needs.len() > 1 && !exclude {
        let message = "goes on with the first of several that do not exclude each other; the others go on too";
        reading.tell(
            Problem::BranchJoinWithoutBranch,
            below(level.at, &step.name),
            message,
        );
    }
}

/// Groups of which only one step is done.
fn groups(level: &Level<'_>, reading: &mut Reading) {
    let mut groups: BTreeMap<&str, Vec<&Step>> = BTreeMap::new();
    for step in level.steps {
        if let Some(group) = &step.branch {
            groups.entry(group).or_default().push(step);
        }
    }
    for (group, members) in groups {
        let first = members[0];
        if members.len() < 2 {
            let message = format!("`{group}` has one member; a branch is a choice");
            let at = below(&below(level.at, &first.name), "branch");
            reading.tell(Problem::BranchGroupTooSmall, at, message);
        }
        let of = |step: &Step| -> BTreeSet<(String, &'static str)> {
            let needs = step.needs.iter();
            needs
                .map(|need| (need.step.clone(), need.on.name()))
                .collect()
        };
        for member in &members {
            let at = below(level.at, &member.name);
            if member.when.is_none() {
                let message = format!("`{group}` chooses by condition");
                reading.tell(Problem::BranchStepMissingCondition, at.clone(), message);
            }
            if of(member) != of(first) {
                let message = format!("waits for others than `{}` of the same branch", first.name);
                reading.tell(Problem::BranchStepConflictingNeeds, at, message);
            }
        }
    }
}
