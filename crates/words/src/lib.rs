//! Enums whose values are written as words: in files, on the command line and in tables.
//!
//! [`words!`] declares the enum with its words and their meanings. What reads a word, lists the words or explains them
//! comes from that one place.
//!
#![doc = include_str!("../README.md")]

/// A word and what it means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WordDef {
    /// The word.
    pub word: &'static str,
    /// What it was before.
    pub was: &'static [&'static str],
    /// What it means: lines, of which the first paragraph is enough for a list.
    pub doc: &'static str,
}

impl WordDef {
    /// The first paragraph of the meaning as one line.
    #[must_use]
    pub fn summary(&self) -> String {
        let lines = self.doc.lines().map(str::trim);
        let lines: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
        lines.join(" ")
    }
}

/// A type of which every value is written as a word.
pub trait Word: Copy + PartialEq + Sized + 'static {
    /// All values, in the order in which they are told.
    const ALL: &'static [Self];
    /// Their words, in the same order.
    const WORDS: &'static [WordDef];

    /// The word.
    fn word(self) -> &'static str;

    /// The value of a word.
    #[must_use]
    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|own| own.word() == word)
    }
}

/// The words of a type, separated by commas.
#[must_use]
pub fn listed<W: Word>() -> String {
    let words: Vec<&str> = W::WORDS.iter().map(|own| own.word).collect();
    words.join(", ")
}

/// The word that is written today for one of before.
#[must_use]
pub fn renamed(words: &[WordDef], word: &str) -> Option<&'static str> {
    let mut words = words.iter();
    let new = words.find(|own| own.was.contains(&word));
    new.map(|own| own.word)
}

/// The value of a word.
///
/// # Errors
/// What would be right.
pub fn read_word<W: Word>(word: &str) -> Result<W, String> {
    W::from_word(word).ok_or_else(|| match renamed(W::WORDS, word) {
        Some(new) => format!("it is called {new} now"),
        None => format!("expected one of {}", listed::<W>()),
    })
}

/// An enum whose values are written as words; `was` states what a word was before.
///
/// ```
/// retrial_words::words! {
///     /// What weights start from.
///     pub enum Start {
///         /// As torch does.
///         Torch = "torch",
///         /// As the paper does.
///         Dcgan = "dcgan",
///     }
/// }
/// assert_eq!(Start::Dcgan.name(), "dcgan");
/// assert_eq!("torch".parse(), Ok(Start::Torch));
/// ```
#[macro_export]
macro_rules! words {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $(
                $(#[doc = $doc:literal])+ $(#[default $($default:tt)?])? $variant:ident = $word:literal
                    $(was $($old:literal)+)?
            ),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $vis enum $name {
            $($(#[doc = $doc])+ $(#[default $($default)?])? $variant,)+
        }

        impl $name {
            /// The word.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl $crate::Word for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];
            const WORDS: &'static [$crate::WordDef] = &[
                $($crate::WordDef {
                    word: $word,
                    was: &[$($($old),+)?],
                    doc: concat!($($doc, "\n"),+),
                }),+
            ];

            fn word(self) -> &'static str {
                self.name()
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = String;

            fn from_str(word: &str) -> Result<Self, String> {
                $crate::read_word(word)
            }
        }
    };
}

#[cfg(test)]
mod tests {
    #![expect(unreachable_pub, reason = "what the macro makes is public")]

    use super::*;

    words! {
        /// A kind of line.
        pub enum Line {
            /// Without a gap.
            ///
            /// Drawn at once.
            Solid = "solid",
            /// With gaps.
            Dashed = "dashed" was "broken" "dotted",
        }
    }

    #[test]
    fn words_are_read_and_written() {
        assert_eq!("dashed".parse(), Ok(Line::Dashed));
        assert_eq!(format!("{:>8}", Line::Solid), "   solid");
        assert_eq!(Line::WORDS[0].summary(), "Without a gap.");
    }

    #[test]
    fn another_word_is_told_what_would_be_right() {
        let fault = |word: &str| word.parse::<Line>().expect_err("no word");
        assert_eq!(fault("dotted"), "it is called dashed now");
        assert_eq!(fault("bold"), "expected one of solid, dashed");
    }
}
