//! Rows of the tables of states, and what of them is open to a viewer. Pure: the caller brings the viewer's seats and
//! names what is missing; the verbs check the same rows again under their locks.

use concord_entities::seat;
use sea_orm::ActiveEnum;

use crate::domain::{
    Action, Actor, Code, Error, Result, Target,
    policy::{self, Grant},
};

/// One row of a table of states: what moves an object from where to where, and the right it takes.
#[derive(Clone, Copy, Debug)]
pub struct Step<S: 'static> {
    /// Name of the mutation.
    pub mutation: &'static str,
    /// States it starts from.
    pub from: &'static [S],
    /// State it leads to.
    pub to: S,
    /// The right it takes.
    pub action: Action,
}

impl<S: ActiveEnum<Value = String> + Copy + PartialEq> Step<S> {
    /// Turns away an object whose state does not allow this step.
    pub fn check(&self, state: S) -> Result<()> {
        if self.from.contains(&state) {
            Ok(())
        } else {
            Err(Error::refused(Code::StateRefused).with("state", state.to_value()))
        }
    }
}

/// The viewer of an object: who, with the active seats in the object's alliance.
#[derive(Clone, Copy, Debug)]
pub struct Viewer<'a> {
    pub actor: Actor,
    pub seats: &'a [seat::Model],
}

/// A step as its viewer finds it: available, or blocked and by what.
#[derive(Debug)]
pub struct Transition {
    /// Name of the mutation.
    pub mutation: &'static str,
    /// State it leads to, as the schema writes it.
    pub to: String,
    /// What blocks it; empty when it is available.
    pub blockers: Vec<Error>,
}

/// All steps of a table as the viewer finds them; `missing` names what else a step wants before it can be taken.
pub fn offer<S>(
    steps: &[Step<S>],
    state: S,
    viewer: Viewer<'_>,
    target: Target<'_>,
    missing: impl Fn(&Step<S>) -> Vec<Error>,
) -> Vec<Transition>
where
    S: ActiveEnum<Value = String> + Copy + PartialEq,
{
    steps
        .iter()
        .map(|step| {
            let mut blockers = Vec::new();
            blockers.extend(refusal(viewer, step.action, target));
            blockers.extend(step.check(state).err());
            // What is missing matters only where the step could be taken at all.
            if step.from.contains(&state) {
                blockers.extend(missing(step));
            }
            Transition { mutation: step.mutation, to: step.to.to_value().to_ascii_uppercase(), blockers }
        })
        .collect()
}

/// Why the viewer may not take `action` on `target`, if so.
pub fn refusal(viewer: Viewer<'_>, action: Action, target: Target<'_>) -> Option<Error> {
    let account = match viewer.actor {
        Actor::System => return None,
        Actor::Anonymous | Actor::Key(_) => return Some(Error::Forbidden),
        Actor::Account { id, .. } => id,
    };
    if policy::standing(account, viewer.seats, action, target).is_some() {
        return None;
    }
    let own_only = viewer.seats.iter().any(|seat| policy::grant(seat.role, action) == Grant::Own);
    Some(if own_only { Error::refused(Code::NotYourOrganization) } else { Error::Forbidden })
}
