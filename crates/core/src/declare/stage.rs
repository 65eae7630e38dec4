//! Params that stages read, as types of which all is in the id of a stage.

use super::{Pairs, ParamGroup, ParamType, Word, word_value};
use crate::params::ParamValue;

/// Params that a stage reads: groups, single params, and tuples of both. All that one of these holds is in the id of the
/// stage. `Option` is none of them, since a group at its defaults leaves no mark in an id.
pub trait StageParams: held::Held {}

impl<P: held::Held> StageParams for P {}

/// Out of reach of studies, so that none leaves out what it holds.
mod held {
    use super::{OneParam, Pairs, ParamGroup};

    pub trait Held {
        /// Name and value of every param.
        fn stage_pairs(&self) -> Pairs;
    }

    impl Held for () {
        fn stage_pairs(&self) -> Pairs {
            Vec::new()
        }
    }

    impl<G: ParamGroup> Held for &G {
        fn stage_pairs(&self) -> Pairs {
            self.pairs()
        }
    }

    impl<T> Held for OneParam<T> {
        fn stage_pairs(&self) -> Pairs {
            vec![self.pair.clone()]
        }
    }

    macro_rules! tuples {
        ($(($($type:ident $own:ident)+))+) => {
            $(impl<$($type: Held),+> Held for ($($type,)+) {
                fn stage_pairs(&self) -> Pairs {
                    let ($($own,)+) = self;
                    [$($own.stage_pairs()),+].concat()
                }
            })+
        };
    }

    tuples! { (A a B b) (A a B b C c) (A a B b C c D d) }
}

/// One param of a group, for a stage that reads no other of it.
#[derive(Clone, Debug, PartialEq)]
pub struct OneParam<T> {
    pair: (&'static str, ParamValue),
    value: T,
}

impl<T: ParamType> OneParam<T> {
    /// The param of that name.
    pub fn new(name: &'static str, value: T) -> Self {
        let pair = (name, value.to_value());
        Self { pair, value }
    }
}

impl<W: Word> OneParam<W> {
    /// The param of that name, a word.
    pub fn word(name: &'static str, value: W) -> Self {
        let pair = (name, word_value(value));
        Self { pair, value }
    }
}

impl<T: Copy> OneParam<T> {
    /// Its value.
    pub fn value(&self) -> T {
        self.value
    }
}
