import ByteText

/// Words of a command line with options of one letter before other arguments, as getopt(3) reads them.
///
/// `-i -d 3`, `-id3`, and `--` before what is no option.
package struct OptionWords: Sendable {
    private var words: ArraySlice<[UInt8]>
    /// The letters of a word that have not been read.
    private var letters: ArraySlice<UInt8> = []

    /// The words behind the program's name.
    package init(_ words: ArraySlice<[UInt8]>) { self.words = words }

    /// The words after the options, once `next` has given nil.
    package var rest: [[UInt8]] { Array(words) }

    /// The next option's letter, nil when there are no more.
    package mutating func next() -> UInt8? {
        if letters.isEmpty {
            guard let word = words.first, word.count > 1, word.first == UInt8(ascii: "-") else {
                return nil
            }
            words = words.dropFirst()
            if word.equals("--") { return nil }
            letters = word.dropFirst()
        }
        return letters.popFirst()
    }

    /// The value of the option that was read last: the rest of its word, or else the next word; nil: there is none.
    package mutating func value() -> [UInt8]? {
        letters.isEmpty ? words.popFirst() : attachedValue()
    }

    /// The rest of the option's word, even if that is nothing.
    package mutating func attachedValue() -> [UInt8] {
        defer { letters = [] }
        return Array(letters)
    }
}
