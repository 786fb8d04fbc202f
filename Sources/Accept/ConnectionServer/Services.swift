import ByteText
import Posix

/// The ports of services; see services(5).
enum Services {
    /// The port that the number or the name of a TCP service means.
    static func port(_ text: [UInt8]) -> UInt16? {
        if let number = text.decimalValue { return UInt16(exactly: number) }
        let services: [UInt8]
        do throws(Errno) { services = try Files.contents([UInt8]("/etc/services")) } catch {
            return nil
        }
        for line in services.lines {
            let words = Array(line.prefix { $0 != UInt8(ascii: "#") }).words
            guard words.count >= 2,
                words.enumerated().contains(where: { $0.offset != 1 && $0.element == text })
            else { continue }
            let parts = words[1].split(separator: UInt8(ascii: "/")).map { Array($0) }
            if parts.count == 2, parts[1].equals("tcp"), let number = parts[0].decimalValue {
                return UInt16(exactly: number)
            }
        }
        return nil
    }
}
