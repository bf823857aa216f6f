//! What keeps numbers and texts of people from whoever takes the disk or a backup.
//!
//! Phones appear in keys only as a keyed hash; values that hold numbers or texts are sealed. The
//! key lies in a file outside the data directory.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use super::StoreError;
use super::engine::Partition;

/// Bytes of the key file: 32 for hashing, 32 for sealing.
const KEY_BYTES: usize = 64;
/// Bytes of a phone's hash that are kept.
const HASH_BYTES: usize = 16;

/// A phone in keys, indexes and logs: HMAC-SHA256 of its number, cut to 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PhoneKey([u8; HASH_BYTES]);

impl PhoneKey {
    /// Its bytes.
    pub(super) const fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// A key read back from an index.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// A key read back from its letters.
    pub(super) fn from_text(letters: &[u8]) -> Option<Self> {
        let mut bytes = [0; HASH_BYTES + 2];
        let length = URL_SAFE_NO_PAD.decode_slice(letters, &mut bytes).ok()?;
        Self::from_bytes(bytes.get(..length)?)
    }

    /// The partition of everything about the phone.
    pub const fn partition(&self) -> Partition {
        let [first, ..] = self.0;
        Partition::of_hash(first)
    }

    /// Its letters in keys that people can read: base64url.
    pub(super) fn text(&self) -> String {
        letters(&self.0)
    }
}

/// Bytes as base64url letters.
pub(super) fn letters(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Hashes and seals with the keys of one installation.
pub(super) struct Seal {
    hashing: hmac::Key,
    sealing: LessSafeKey,
    nonces: Mutex<Nonces>,
}

/// Nonces that never come twice: 8 random bytes drawn for this process, then a count. Nonces drawn
/// whole at random could meet after some billions of values.
#[derive(Debug, Default)]
struct Nonces {
    drawn: [u8; 8],
    used: u32,
}

impl Nonces {
    fn next(&mut self) -> Result<[u8; NONCE_LEN], StoreError> {
        self.used = self.used.wrapping_add(1);
        if self.used == 1 || self.used == 0 {
            let random = SystemRandom::new();
            random
                .fill(&mut self.drawn)
                .map_err(|_| StoreError::Random)?;
            self.used = 1;
        }
        let mut nonce = [0; NONCE_LEN];
        let bytes = self.drawn.iter().copied().chain(self.used.to_le_bytes());
        for (own, byte) in nonce.iter_mut().zip(bytes) {
            *own = byte;
        }
        Ok(nonce)
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

impl Seal {
    /// What tells this key from another without telling the key.
    pub(super) fn identity(&self) -> Vec<u8> {
        self.mark(&[b"identity"]).to_vec()
    }

    /// Reads the key file; writes one with new keys where there is none.
    pub(super) fn open(file: &Path) -> Result<Self, StoreError> {
        let unusable = |why: String| StoreError::KeyFile {
            path: file.to_owned(),
            why,
        };
        let bytes = match File::open(file) {
            Ok(mut found) => {
                let mut bytes = Vec::new();
                found
                    .read_to_end(&mut bytes)
                    .map_err(|error| unusable(error.to_string()))?;
                bytes
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create(file).map_err(|error| unusable(error.to_string()))?
            }
            Err(error) => return Err(unusable(error.to_string())),
        };
        Self::of(&bytes).ok_or_else(|| unusable(format!("it does not hold {KEY_BYTES} bytes")))
    }

    /// Keys that are gone with the process, for a store in memory.
    pub(super) fn passing() -> Result<Self, StoreError> {
        Self::of(&new_key()?).ok_or(StoreError::Random)
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != KEY_BYTES {
            return None;
        }
        let (hashing, sealing) = bytes.split_at_checked(KEY_BYTES / 2)?;
        Some(Self {
            hashing: hmac::Key::new(hmac::HMAC_SHA256, hashing),
            sealing: LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, sealing).ok()?),
            nonces: Mutex::default(),
        })
    }

    /// The key of a phone, or of any other sender by its wire form.
    pub(super) fn phone(&self, wire: &str) -> PhoneKey {
        let tag = hmac::sign(&self.hashing, wire.as_bytes());
        let mut hash = [0; HASH_BYTES];
        for (own, byte) in hash.iter_mut().zip(tag.as_ref()) {
            *own = *byte;
        }
        PhoneKey(hash)
    }

    /// A keyed hash of anything, for fingerprints that must not tell what they stand for.
    pub(super) fn mark(&self, pieces: &[&[u8]]) -> [u8; HASH_BYTES] {
        let mut context = hmac::Context::with_key(&self.hashing);
        for piece in pieces {
            context.update(&piece.len().to_le_bytes());
            context.update(piece);
        }
        let mut mark = [0; HASH_BYTES];
        for (own, byte) in mark.iter_mut().zip(context.sign().as_ref()) {
            *own = *byte;
        }
        mark
    }

    /// A mark that nothing else has.
    pub(super) fn draw(&self) -> Result<[u8; NONCE_LEN], StoreError> {
        self.nonces
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next()
    }

    /// Seals a value for the row of `key`: under another key it does not open.
    pub(super) fn seal(&self, key: &[u8], mut value: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        let mut nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        let nonce = nonces.next()?;
        drop(nonces);
        let unique = Nonce::assume_unique_for_key(nonce);
        self.sealing
            .seal_in_place_append_tag(unique, Aad::from(key), &mut value)
            .map_err(|_| StoreError::Random)?;
        value.extend_from_slice(&nonce);
        Ok(value)
    }

    /// Opens what was sealed for the row of `key`.
    pub(super) fn unseal(&self, key: &[u8], mut value: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        let at = value
            .len()
            .checked_sub(NONCE_LEN)
            .ok_or(StoreError::Corrupt)?;
        let nonce = value.split_off(at);
        let nonce = Nonce::try_assume_unique_for_key(&nonce).map_err(|_| StoreError::Corrupt)?;
        let opened = self
            .sealing
            .open_in_place(nonce, Aad::from(key), &mut value);
        let length = opened.map_err(|_| StoreError::Corrupt)?.len();
        value.truncate(length);
        Ok(value)
    }
}

fn new_key() -> Result<Vec<u8>, StoreError> {
    let mut key = vec![0; KEY_BYTES];
    SystemRandom::new()
        .fill(&mut key)
        .map_err(|_| StoreError::Random)?;
    Ok(key)
}

/// Writes a new key file for its owner alone, whole or not at all.
fn create(file: &Path) -> io::Result<Vec<u8>> {
    let key = new_key().map_err(|error| io::Error::other(error.to_string()))?;
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    // Its owner alone may enter what is made for the key.
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let half = file.with_extension("new");
    let mut written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&half)?;
    written.write_all(&key)?;
    written.sync_all()?;
    fs::rename(&half, file)?;
    File::open(folder)?.sync_all()?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_under_its_own_key_only() {
        let seal = Seal::passing().unwrap();
        let sealed = seal.seal(b"row/1", b"0812 tolong".to_vec()).unwrap();
        assert!(!sealed.windows(4).any(|window| window == b"0812"));
        assert_eq!(
            seal.unseal(b"row/1", sealed.clone()).unwrap(),
            b"0812 tolong"
        );
        assert!(seal.unseal(b"row/2", sealed.clone()).is_err());
        let mut torn = sealed;
        torn.pop();
        assert!(seal.unseal(b"row/1", torn).is_err());
        assert!(seal.unseal(b"row/1", vec![1, 2]).is_err());
    }

    #[test]
    fn no_nonce_comes_twice() {
        let mut nonces = Nonces::default();
        let first = nonces.next().unwrap();
        assert_ne!(first, nonces.next().unwrap());
        nonces.used = u32::MAX;
        let next = nonces.next().unwrap();
        assert_ne!(
            next[..8],
            first[..8],
            "a new draw before the count begins again"
        );
    }

    #[test]
    fn a_key_file_is_made_once_and_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret/siaga.key");
        let first = Seal::open(&file).unwrap().phone("+6281200000001");
        assert_eq!(Seal::open(&file).unwrap().phone("+6281200000001"), first);
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        fs::write(&file, b"short").unwrap();
        assert!(matches!(Seal::open(&file), Err(StoreError::KeyFile { .. })));
    }
}
