import ByteText
import Posix

/// The queue's message that a caller sends on, and whether what he gives us is that message and nothing else.
///
/// What was released from quarantine, or sent to VIRUSFORWARD's address, stays so when an alias or a .qmail file sends it
/// on. A caller cannot say that of his own: the file that he names must be qmailq's, which nobody else can make, and every
/// byte behind the fields of a delivery must be the file's.
struct Original: ~Copyable {
    /// What the queue's own lines in it say.
    struct Proof {
        /// Who released it from quarantine and when; nil when nobody did.
        var released: [UInt8]?
        /// `X-Quarantine-ID` as it stands there, and the address of VIRUSFORWARD in it.
        var quarantine: (field: [UInt8], address: [UInt8])?
    }

    private let file: FileDescriptor
    private let size: Int
    private let claim: Proof

    /// The bytes of the line that may be one of a delivery's fields; nil once the file's own began.
    private var line: [UInt8]? = []
    private var position = 0
    private var isSame = true

    /// More of a header is not looked at.
    private static let headLimit = 1 << 23
    private static let lineLimit = 1 << 16

    /// Look at the descriptor.
    ///
    /// - Returns: Nil when it is no message of a queue, or one of which nothing needs to be known.
    init?(descriptor number: Int32) {
        let file = FileDescriptor(adopting: number)
        do throws(Errno) {
            let status = try file.status()
            guard status.kind == .file, status.owner == Process.effectiveUser,
                let head = try Self.head(file)
            else {
                _ = file.release()
                return nil
            }
            claim = head
            size = status.size
        } catch {
            _ = file.release()
            return nil
        }
        self.file = file
    }

    /// What the queue's own lines say; nil when that is nothing.
    private static func head(_ file: borrowing FileDescriptor) throws(Errno) -> Proof? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = try file.read(into: &buffer, at: bytes.count)
            bytes += buffer[..<count]
            let isAll = count == 0
            if let end = end(of: bytes, isAll) { return head(bytes[..<end]) }
            if isAll || bytes.count > headLimit { return nil }
        }
    }

    /// Where the queue's lines end: its `Received:`, the date, the verdict's and the quarantine's; nil when that is not to
    /// be seen yet.
    private static func end(of bytes: [UInt8], _ isAll: Bool) -> Int? {
        var start = 0
        var number = 0
        while let feed = bytes[start...].firstIndex(of: 10) {
            let line = bytes[start..<feed]
            let isOurs =
                switch number {
                case 0: line.starts(with: "Received: (qmail-queue ")
                case 1: line.first == 32
                case 2: line.starts(with: "X-QHPSI: ")
                default:
                    line.starts(with: "X-QHPSI-") || line.starts(with: "X-Quarantine-ID: ")
                        || line.first == 9
                }
            if !isOurs { return start }
            number += 1
            start = feed + 1
        }
        return isAll ? start : nil
    }

    private static func head(_ lines: ArraySlice<UInt8>) -> Proof? {
        var proof = Proof()
        var field: [UInt8]?
        for line in lines.split(separator: 10) {
            if line.starts(with: "X-QHPSI-Released: ") {
                proof.released = Array(line.dropFirst(18))
            }
            if line.starts(with: "X-Quarantine-ID: ") {
                field = line + [10]
            } else if line.first == 9, let start = field {
                field = start + line + [10]
            }
        }
        if let field {
            proof.quarantine = (field, Array(field.dropFirst(17).prefix { $0 != 10 }).withoutComma)
        }
        return proof.released == nil && proof.quarantine == nil ? nil : proof
    }

    /// Take more of what the caller gives us.
    mutating func take(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        while isSame, line != nil, let byte = rest.first {
            rest = rest.dropFirst()
            takeHead(byte)
        }
        if isSame, line == nil, !rest.isEmpty { compare(rest) }
    }

    /// A byte of the fields that a delivery puts before the message, or of the first line of that.
    private mutating func takeHead(_ byte: UInt8) {
        guard var line = self.line else { return }
        self.line = []
        line.append(byte)
        if byte != 10 {
            if line.count > Self.lineLimit { isSame = false }
        } else if line.starts(with: "Delivered-To: ") || line.starts(with: "X-Filter: ") {
            line = []
        } else {
            self.line = nil
            return compare(line[...])
        }
        self.line = line
    }

    private mutating func compare(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        var buffer = [UInt8](repeating: 0, count: rest.count)
        while isSame, !rest.isEmpty {
            do throws(Errno) {
                let count = min(rest.count, try file.read(into: &buffer, at: position))
                isSame = count > 0 && rest.prefix(count).elementsEqual(buffer[..<count])
                rest = rest.dropFirst(count)
                position += count
            } catch {
                isSame = false
            }
        }
    }

    /// What it says, if all that was taken is this message, whole.
    var proof: Proof? { isSame && line == nil && position == size ? claim : nil }
}

extension [UInt8] {
    fileprivate var withoutComma: [UInt8] { last == UInt8(ascii: ",") ? Array(dropLast()) : self }
}

extension ArraySlice<UInt8> {
    fileprivate func starts(with text: StaticString) -> Bool {
        count >= text.utf8CodeUnitCount
            && text.withUTF8Buffer { wanted in prefix(wanted.count).elementsEqual(wanted) }
    }
}

extension [UInt8] {
    fileprivate func starts(with text: StaticString) -> Bool { self[...].starts(with: text) }
}
