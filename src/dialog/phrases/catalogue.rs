//! Every text that is sent, by its name in `config/phrases/`, and the words filled into it.
//!
//! Apart because it is a table: a new text is a row here and a line in the phrase files.

/// Declares the slots: name in braces, most letters of what is filled in.
macro_rules! slots {
    ($($variant:ident = $name:literal $limit:literal),+ $(,)?) => {
        /// A place in a text that is filled in.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Slot { $(#[doc = concat!("`{", $name, "}`")] $variant),+ }

        impl Slot {
            /// Every slot.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name in braces.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Most septets of what is filled in; longer values are cut at a word.
            pub const fn limit(self) -> usize {
                match self { $(Self::$variant => $limit),+ }
            }
        }
    };
}

slots! {
    Org = "org" 15, OrgCapitals = "ORG" 15, Kab = "kab" 27, Darurat = "darurat" 15,
    Telp = "telp" 16, Balas = "balas" 30,
    Id = "id" 6, Kode = "kode" 6, Tgl = "tgl" 8, Jam = "jam" 5, Jam2 = "jam2" 5,
    Tempat = "tempat" 27, Bahaya = "bahaya" 14, Level = "level" 8, Status = "status" 24,
    Titik = "titik" 23, Tindakan = "tindakan" 32, X = "x" 11, Kata = "kata" 12,
    Catatan = "catatan" 48, IsiPetugas = "isi_petugas" 160, Items = "items" 160,
    Mag = "mag" 4, Lokasi = "lokasi" 29, Dlm = "dlm" 4,
    Ringkas = "ringkas" 43, T1 = "t1" 3, T2 = "t2" 3, Angin = "angin" 3,
    Posko = "posko" 18, Patokan = "patokan" 21, Isi = "isi" 6, Kap = "kap" 6,
    Sisa = "sisa" 1, Akhir = "akhir" 3, Radius = "radius" 2,
    Nama = "nama" 13, Penerima = "penerima" 7, Gw = "gw" 12, Gw2 = "gw2" 12,
    Ringkas2 = "ringkas2" 40,
}

impl Slot {
    /// Slots that any text may use: the agency's own.
    pub const COMMON: [Self; 6] = [
        Self::Org,
        Self::OrgCapitals,
        Self::Kab,
        Self::Darurat,
        Self::Telp,
        Self::Balas,
    ];

    /// The slot of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|slot| slot.name() == name)
    }
}

/// Declares the texts: name in the files, the slots that it may use beside the common ones.
macro_rules! phrases {
    ($($variant:ident = $name:literal [$($slot:ident),*]),+ $(,)?) => {
        /// A text that is sent.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Phrase { $(#[doc = concat!("`", $name, "`")] $variant),+ }

        impl Phrase {
            /// Every text, in the order of declaration.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name in the files.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The slots that it may use beside the common ones.
            pub const fn slots(self) -> &'static [Slot] {
                match self { $(Self::$variant => &[$(Slot::$slot),*]),+ }
            }
        }
    };
}

phrases! {
    Help = "HELP" [],
    Help2 = "HELP2" [],
    HelpInfo = "HELP_INFO" [],
    HelpLapor = "HELP_LAPOR" [],
    HelpDaftar = "HELP_DAFTAR" [],
    Telepon = "TELEPON" [],
    Tolong = "TOLONG" [Id],
    TakPaham = "TAK_PAHAM" [],
    InfoList = "INFO_LIST" [Tgl, Jam, Items],
    InfoMore = "INFO_MORE" [Items],
    InfoNone = "INFO_NONE" [Tempat, Tgl, Jam],
    InfoNoneHaz = "INFO_NONE_HAZ" [Bahaya, Tempat, Tgl, Jam],
    GempaAman = "GEMPA_AMAN" [Mag, Tgl, Jam, Lokasi, Dlm],
    GempaTsu = "GEMPA_TSU" [Mag, Jam, Lokasi],
    GempaKosong = "GEMPA_KOSONG" [],
    InfoTidakPasti = "INFO_TIDAK_PASTI" [Tempat, Jam],
    CekSah = "CEK_SAH" [Kode, Level, Bahaya, Tempat, Tgl, Jam, Status],
    CekTidak = "CEK_TIDAK" [Kode],
    GempaLama = "GEMPA_LAMA" [Tgl, Jam],
    Cuaca = "CUACA" [Tempat, Tgl, Ringkas, T1, T2, Angin],
    CuacaDini = "CUACA_DINI" [Tempat, Jam],
    CuacaLama = "CUACA_LAMA" [Tempat, Tgl, Jam],
    LaporOk = "LAPOR_OK" [Id, Jam, Bahaya, Tempat],
    LaporDarurat = "LAPOR_DARURAT" [Id, Jam, Bahaya, Tempat],
    LaporT1 = "LAPOR_T1" [Id],
    LaporT2 = "LAPOR_T2" [Id, Bahaya],
    LaporT3 = "LAPOR_T3" [Id, Bahaya, Tempat],
    LaporTambah = "LAPOR_TAMBAH" [Id, Jam],
    LaporLuar = "LAPOR_LUAR" [X, Id],
    LaporTanya = "LAPOR_TANYA" [Bahaya, Tempat, Id],
    BatalOk = "BATAL_OK" [Id],
    BatalKosong = "BATAL_KOSONG" [],
    StatusSatu = "STATUS_SATU" [Id, Bahaya, Tempat, Status, Tgl, Jam, Catatan],
    StatusBanyak = "STATUS_BANYAK" [Items],
    StatusKosong = "STATUS_KOSONG" [],
    StatusBukan = "STATUS_BUKAN" [Id],
    KabarLaporan = "KABAR_LAPORAN" [Id, Bahaya, Tempat, Status, Jam, Catatan],
    Petugas = "PETUGAS" [Id, IsiPetugas],
    DaftarOk = "DAFTAR_OK" [Tempat],
    DaftarTanya = "DAFTAR_TANYA" [],
    DaftarSudah = "DAFTAR_SUDAH" [Tempat],
    DaftarLihat = "DAFTAR_LIHAT" [Items],
    DaftarPenuh = "DAFTAR_PENUH" [],
    BerhentiOk = "BERHENTI_OK" [],
    BerhentiSatu = "BERHENTI_SATU" [Tempat, Sisa],
    BerhentiKosong = "BERHENTI_KOSONG" [],
    PoskoDaftar = "POSKO_DAFTAR" [Tempat, Items],
    PoskoRinci = "POSKO_RINCI" [Posko, Tempat, Isi, Kap, Patokan],
    PoskoKosong = "POSKO_KOSONG" [Tempat, Titik],
    PoskoTsu = "POSKO_TSU" [Titik],
    AmanOk = "AMAN_OK" [Tgl, Jam],
    AmanRahasia = "AMAN_RAHASIA" [],
    AmanHapus = "AMAN_HAPUS" [],
    AmanTutup = "AMAN_TUTUP" [],
    CariTanya = "CARI_TANYA" [],
    CariAda = "CARI_ADA" [Akhir, Tgl, Jam],
    CariBelum = "CARI_BELUM" [Akhir],
    CariTutup = "CARI_TUTUP" [],
    BahasaTanya = "BAHASA_TANYA" [],
    BahasaOk = "BAHASA_OK" [],
    LanjutKosong = "LANJUT_KOSONG" [],
    KataMirip = "KATA_MIRIP" [X, Kata],
    TempatPilih = "TEMPAT_PILIH" [X, Items],
    TempatMirip = "TEMPAT_MIRIP" [X, Items],
    TempatNihil = "TEMPAT_NIHIL" [X],
    AngkaBasi = "ANGKA_BASI" [],
    TerlaluSering = "TERLALU_SERING" [],
    Gangguan = "GANGGUAN" [],
    Terlambat = "TERLAMBAT" [Jam, Jam2, Id],
    BukanTeks = "BUKAN_TEKS" [],
    BTsuLari = "B_TSU_LARI" [Jam, Tempat],
    BTsuJauhi = "B_TSU_JAUHI" [Jam, Tempat],
    BBanjirAwas = "B_BANJIR_AWAS" [Tempat, Titik, Jam],
    BBanjirSiaga = "B_BANJIR_SIAGA" [Tempat, Jam, Jam2],
    BLongsorAwas = "B_LONGSOR_AWAS" [Tempat, Titik, Jam],
    BLongsorWasp = "B_LONGSOR_WASP" [Tempat, Jam],
    BAngin = "B_ANGIN" [Tempat, Jam, Jam2],
    BGunung = "B_GUNUNG" [Radius, Titik],
    BKebakaran = "B_KEBAKARAN" [Tempat, Titik],
    BKering = "B_KERING" [Tempat, Tgl, Jam, Titik],
    BUbah = "B_UBAH" [Jam, Bahaya, Tempat, Tindakan, Titik],
    BSelesai = "B_SELESAI" [Bahaya, Tempat, Tgl, Jam],
    BRalat = "B_RALAT" [Jam, Bahaya, Tempat],
    BLatihan = "B_LATIHAN" [],
    BSambut = "B_SAMBUT" [Tempat],
    SSetuju = "S_SETUJU" [Nama, Level, Bahaya, Tempat, Penerima, Kode],
    SDisetujui = "S_DISETUJUI" [Level, Bahaya, Tempat, Nama, Penerima, Jam2, Kode],
    SKodeSalah = "S_KODE_SALAH" [],
    SGateway = "S_GATEWAY" [Gw, Jam, Penerima, Gw2],
    SDarurat = "S_DARURAT" [Id, Bahaya, Tempat, Ringkas2, Akhir],
    GempaInfo = "GEMPA_INFO" [Mag, Tgl, Jam, Lokasi, Dlm],
    CariBatas = "CARI_BATAS" [],
}

impl Phrase {
    /// The text of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|phrase| phrase.name() == name)
    }

    /// Its place in a table of all texts.
    pub(super) const fn index(self) -> usize {
        self as usize
    }

    /// Whether it is an answer to a phone that wrote, neither an alert nor a word to staff.
    pub fn is_reply(self) -> bool {
        !self.name().starts_with("B_") && !self.name().starts_with("S_")
    }
}

/// Declares the small words: name in the files.
macro_rules! labels {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// A small word of a language.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Label { $($(#[$doc])* $variant),+ }

        impl Label {
            /// Every label.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name in the files.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

labels! {
    /// "Balas", where the phone can reply.
    Reply = "reply",
    /// "SMS ke", where it must write to another number.
    TextTo = "text_to",
    /// Last item of a list that goes on behind LANJUT.
    More = "more",
    /// A report without a note of staff.
    NoNote = "no_note",
    /// A report whose hazard is not known.
    NoHazard = "no_hazard",
    /// A report whose place is not known.
    NoPlace = "no_place",
    /// Persons dead, in a page to a duty phone.
    Dead = "dead",
    /// Persons missing.
    Missing = "missing",
    /// Persons trapped.
    Trapped = "trapped",
    /// Persons injured.
    Injured = "injured",
    /// Trapped, missing or dead: it is not known which, or how many.
    Grave = "grave",
    /// The sender told nothing beside what is said already.
    NoDetails = "no_details",
    /// No meeting point is known.
    NoRefuge = "no_refuge",
    /// Tsunami, and no meeting point is known.
    HighGround = "high_ground",
    /// The date of data that never came.
    NeverDate = "never_date",
    /// The time of data that never came.
    NeverTime = "never_time",
    /// An alert in force.
    InForce = "in_force",
    /// An alert that ran out.
    Over = "over",
    /// An alert that ran out while our data is old.
    PerhapsOver = "perhaps_over",
    /// An alert that was ended before its time.
    Lifted = "lifted",
    /// An alert that was sent by mistake.
    Retracted = "retracted",
    /// Stands before the time an alert ends.
    Until = "until",
    /// Stands before an answer from old data; `{jam}` is its time.
    DataOf = "data_of",
    /// The same where the data is of another day: `{tgl}` is its date.
    DataOfDay = "data_of_day",
}

impl Label {
    pub(super) const fn index(self) -> usize {
        self as usize
    }
}
