import ByteText
import Posix

/// A name server that answers from a table, ended with its owner.
///
/// It listens on port 53 of a loopback address of its own, so only root can have one.
package final class FakeNameServer {
    /// What is said to one question.
    package enum Answer: Sendable {
        /// These records, in this order.
        case records([Record])
        /// RCODE 0 without records.
        case noData
        /// RCODE 3.
        case noSuchName
        /// This RCODE.
        case code(UInt8)
        /// Nothing at all.
        case silence
        /// The answer after so many milliseconds.
        indirect case late(Int, Answer)
        /// Over UDP only the flag that it does not fit.
        indirect case truncated(Answer)
        /// Bytes that are no message.
        case garbage
        /// Some datagrams that are not the answer: a wrong id, the question itself, another question; then it.
        indirect case misled(Answer)
        /// An answer whose record ends too early.
        case malformed
        /// A stranger's datagrams only: nothing with the right id.
        case wrongID
    }

    /// A record of an answer; without an owner it belongs to the name that was asked for.
    package struct Record: Sendable {
        var owner: String?
        let type: UInt16
        let data: [UInt8]

        /// The record as another name's.
        package func of(_ owner: String) -> Record {
            var copy = self
            copy.owner = owner
            return copy
        }
        /// An IPv4 address.
        package static func a(_ text: String) -> Record {
            Record(type: 1, data: IPAddress(Array(text.utf8))?.bytes ?? [])
        }
        /// An IPv6 address.
        package static func aaaa(_ text: String) -> Record {
            Record(type: 28, data: IPAddress(Array(text.utf8))?.bytes ?? [])
        }
        /// A CNAME.
        package static func alias(_ name: String) -> Record {
            Record(type: 5, data: wireName(name))
        }
        /// The name of an address.
        package static func ptr(_ name: String) -> Record {
            Record(type: 12, data: wireName(name))
        }
        /// A mail exchanger.
        package static func mx(_ preference: UInt8, _ name: String) -> Record {
            Record(type: 15, data: [0, preference] + wireName(name))
        }
        /// A text of some strings.
        package static func txt(_ strings: String...) -> Record {
            Record(
                type: 16,
                data: strings.flatMap {
                    [UInt8(truncatingIfNeeded: $0.utf8.count)] + Array($0.utf8)
                }
            )
        }
        /// Any type and data.
        package static func raw(_ type: UInt16, _ data: [UInt8]) -> Record {
            Record(type: type, data: data)
        }
    }

    /// Its address, for DNSCACHEIP.
    package let address: String
    private let service: NameService
    private let thread: Thread
    private var life: FileDescriptor?

    /// Listen, and answer questions such as `A host.example` by the table; others get RCODE 3.
    ///
    /// - Parameter table: By type and name, in lower case.
    /// - Throws: When it cannot listen.
    package init(_ table: [String: Answer]) throws {
        let random = (0..<3).map { _ in "\(Int.random(in: 1...254))" }
        address = (["127"] + random).joined(separator: ".")
        guard let place = SocketAddress.internet(Array(address.utf8), port: 53) else {
            throw TestbedFailure(text: "no address for a fake name server")
        }
        let datagrams = try FileDescriptor.datagrams(arrivingAt: place)
        let listener = try FileDescriptor.listening(on: place, backlog: 50)
        let pipe = try Pipe()
        life = try pipe.writing.duplicate()
        let service = try NameService(datagrams, listener, try pipe.reading.duplicate(), table)
        self.service = service
        thread = try Thread { service.run() }
    }

    /// The questions that came, in their order.
    package var questions: [String] { get throws { try service.questions() } }

    deinit {
        life = nil
        thread.join()
    }
}

/// A name as messages have it, without compression.
func wireName(_ name: String) -> [UInt8] {
    name.split(separator: ".").flatMap {
        [UInt8(truncatingIfNeeded: $0.utf8.count)] + Array($0.utf8)
    } + [0]
}
