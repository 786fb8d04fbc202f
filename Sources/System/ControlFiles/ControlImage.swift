import ByteText
package import Posix

/// Control files as they were when a server read them, in sealed memory that its sessions share.
///
/// It spares a session the opening of files that are not there and the reading of long ones. It is never believed
/// about a file that has changed since: the folder and each file that is asked about must be the same by stat(2), on a
/// local file system and with a last change that was seconds old when the file was read. Otherwise the session reads
/// the file itself, as without an image.
package final class ControlImage: Sendable {
    private let memory: SealedMemory
    private let count: Int

    /// The variable that names the descriptor.
    package static let variable: StaticString = "CONTROLIMAGE"

    /// What a file is in an image.
    enum Kind: UInt64 {
        /// It is there, and no more is known.
        case unknown
        /// Its bytes.
        case text
        /// Its lines, sorted, and not in the form that the file has.
        case lines
    }

    /// An image of these entries and these bytes: what `CurrentControlImage` writes and this reads.
    enum Layout {
        static let magic: UInt64 = 0x3149_4c54_5043_5351
        /// Words of 64 bits: the magic one, how many entries, and the folder's version.
        static let headWords = 6
        /// Where name and content begin and how long they are, the kind, and the file's version.
        static let entryWords = 9
        static let mostEntries = 4096
    }

    /// The image that the variable names; nil when there is none, and when the folder has changed since.
    ///
    /// - Parameters:
    ///   - environment: With the variable, or without.
    ///   - directory: The control folder.
    package init?(_ environment: Environment, of directory: [UInt8]) {
        guard let number = environment[Self.variable]?.decimalValue, number > 2 else { return nil }
        do throws(Errno) {
            memory = try SealedMemory(Int32(clamping: number))
            let head = Self.words(memory, at: 0, Layout.headWords)
            guard head.count == Layout.headWords, head[0] == Layout.magic,
                head[1] <= UInt64(Layout.mostEntries),
                try FileVersion(of: directory) == FileVersion(settled: Array(head[2...]))
            else { return nil }
            count = Int(head[1])
        } catch {
            return nil
        }
    }

    /// What the image says of a file.
    enum Answer {
        /// It is not there.
        case absent
        case text([UInt8])
        case lines(Lines)
        /// The file must be looked at.
        case unknown
    }

    /// Ask about a file as it is now.
    ///
    /// - Parameters:
    ///   - name: Its name in the folder, or the path of a file elsewhere that the server was told of.
    ///   - path: Where it is.
    /// - Returns: What is true of it now.
    func answer(_ name: [UInt8], at path: [UInt8]) -> Answer {
        guard let entry = entry(name) else { return .absent }
        guard let kind = Kind(rawValue: entry[4]), kind != .unknown else { return .unknown }
        do throws(Errno) {
            guard try FileVersion(of: path) == FileVersion(settled: Array(entry[5...])) else {
                return .unknown
            }
        } catch {
            return .unknown
        }
        let range = Self.range(entry[2], entry[3])
        return kind == .text
            ? .text(memory.withBytes(range) { $0.withUnsafeBytes { Array($0) } })
            : .lines(Lines(memory: memory, range: range))
    }

    /// Whether the folder has a file of this name.
    func has(_ name: [UInt8]) -> Bool { entry(name) != nil }

    /// The lines of a file outside the folder, as it is now; nil when the file must be read.
    package func lines(at path: [UInt8]) -> Lines? {
        if case .lines(let lines) = answer(path, at: path) { return lines }
        return nil
    }

    /// The words of the entry with a name, nil when there is none.
    private func entry(_ name: [UInt8]) -> [UInt64]? {
        for i in 0..<count {
            let start = (Layout.headWords + i * Layout.entryWords) * 8
            // Most names differ in length.
            guard Self.words(memory, at: start + 8, 1) == [UInt64(name.count)] else { continue }
            let entry = Self.words(memory, at: start, Layout.entryWords)
            guard entry.count == Layout.entryWords else { return nil }
            let range = Self.range(entry[0], entry[1])
            let isIt = memory.withBytes(range) {
                $0.withUnsafeBytes { $0.elementsEqual(name) }
            }
            if isIt { return entry }
        }
        return nil
    }

    /// Some words, or none when they are not all there.
    private static func words(_ memory: SealedMemory, at start: Int, _ count: Int) -> [UInt64] {
        memory.withBytes(start..<start + count * 8) { bytes in
            guard bytes.byteCount == count * 8 else { return [] }
            return (0..<count).map {
                bytes.unsafeLoadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self)
            }
        }
    }

    private static func range(_ start: UInt64, _ count: UInt64) -> Range<Int> {
        let limit = UInt64(Int32.max)
        guard start <= limit, count <= limit else { return 0..<0 }
        return Int(start)..<Int(start + count)
    }

    /// Sorted lines of a file; see `SortedLines`.
    package struct Lines: Sendable {
        fileprivate let memory: SealedMemory
        fileprivate let range: Range<Int>

        /// All of them, in their order.
        package var all: [UInt8] { memory.withBytes(range) { $0.withUnsafeBytes { Array($0) } } }

        /// The first line that begins with a key, which may have its line feed; nil when none does.
        package func first(beginningWith key: [UInt8]) -> [UInt8]? {
            memory.withBytes(range) { bytes in
                guard let line = SortedLines.first(key, in: bytes) else { return nil }
                return bytes.extracting(line).withUnsafeBytes { Array($0) }
            }
        }
    }
}
