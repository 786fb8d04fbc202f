import AliasFile
import ByteText
import LocalDelivery
import Posix

/// The addresses in a file that an alias names: one in a line or more, as a mail's header may have them.
///
/// They only can be in it: programs and files are left out, as is what is not understood, and the others get their mail.
struct IncludedList {
    private let path: [UInt8]
    /// In order.
    private(set) var targets: [AliasTarget] = []
    /// What is left out, a line of the log each.
    private(set) var doubts: [[UInt8]] = []

    /// The most bytes of the file, and the most lines of the log.
    private static let sizeLimit = 1 << 20
    private static let mostDoubts = 10
    /// The most bytes of what is wrong that are shown.
    private static let quoteLimit = 60

    init(_ path: [UInt8]) throws(DeliveryFailure) {
        self.path = path
        let text: [UInt8]
        do throws(Errno) { text = try Files.contents(path, limit: Self.sizeLimit) } catch {
            throw DeliveryFailure(unable: "read ", path, error)
        }
        var count = 0
        for (i, line) in text.lines.enumerated() {
            // Some editors begin a file with a mark of its order of bytes.
            let line =
                i == 0 && line.starts(with: [0xEF, 0xBB, 0xBF]) ? line.dropFirst(3) : line[...]
            let content = line.drop { $0.isBlank }
            if content.first == UInt8(ascii: "#") { continue }
            let (found, flaws) = AliasList.read(content)
            for flaw in flaws { doubt(i + 1, flaw.words, flaw.text, &count) }
            for target in found {
                switch target {
                case .address, .final, .discard: targets.append(target)
                case .program(let text): doubt(i + 1, "a program", text, &count)
                case .file(let text), .include(let text), .flaw(let text):
                    doubt(i + 1, "a file", text, &count)
                }
            }
        }
        if count > Self.mostDoubts {
            doubts.append(
                path + [UInt8](": ") + [UInt8](decimal: count - Self.mostDoubts)
                    + [UInt8](" more left out"))
        }
    }

    private mutating func doubt(
        _ line: Int, _ words: StaticString, _ text: [UInt8], _ count: inout Int
    ) {
        count += 1
        if count > Self.mostDoubts { return }
        let place = path + [UInt8(ascii: ":")] + [UInt8](decimal: line)
        doubts.append(
            place + [UInt8](": left out, ") + [UInt8](words) + [UInt8](": ")
                + text.prefix(Self.quoteLimit).singleLine)
    }

    /// That it has no address.
    var failure: DeliveryFailure {
        var text = [UInt8]("The file ") + path + [UInt8](" does not count: it has no addresses")
        if let first = doubts.first { text += [UInt8](", ") + first }
        return DeliveryFailure(.temporary, words: text + [UInt8](". (#4.3.5)"))
    }
}

extension ArraySlice<UInt8> {
    /// As `Array.singleLine`.
    fileprivate var singleLine: [UInt8] { Array(self).singleLine }
}
