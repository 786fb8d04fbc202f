import AliasFile
import ByteText
import ConstantDatabases
import LocalDelivery
import LocalUsers
import Posix

/// The database that newaliases(1) makes.
struct AliasDatabase {
    private let database: ConstantDatabase
    private let path: [UInt8]

    init(_ path: [UInt8]) throws(DeliveryFailure) {
        self.path = path
        do throws(Errno) { database = try ConstantDatabase(path: path) } catch {
            throw DeliveryFailure(unable: "read ", path, error)
        }
    }

    /// The alias of an address: `local@host`, or else `local`, or else `@host`.
    ///
    /// - Returns: The alias, its targets, and the name before which `owner-` stands for its bounces.
    func find(
        local: [UInt8], host: [UInt8]
    ) throws(DeliveryFailure) -> (alias: [UInt8], targets: [AliasTarget], name: [UInt8])? {
        let local = local.lowercased
        let domain = [UInt8(ascii: "@")] + host.lowercased
        for alias in FastforwardCall.names(local: local, host: host) {
            if let targets = try targets(alias) {
                return (alias, targets, alias == domain ? alias : local)
            }
        }
        return nil
    }

    /// Whether there is an alias of this name.
    func has(_ name: [UInt8]) throws(DeliveryFailure) -> Bool { try targets(name) != nil }

    /// Follow aliases of aliases, and read included files.
    ///
    /// - Parameters:
    ///   - name: The alias, as the database has it.
    ///   - targets: Its targets.
    ///   - doubts: What of included files is left out is added to it, a line each.
    /// - Returns: What becomes of the message.
    /// - Throws: When that cannot be said, or is nothing.
    func expand(
        _ name: [UInt8], _ targets: [AliasTarget], doubts: inout [[UInt8]]
    ) throws(DeliveryFailure) -> AliasExpansion {
        var expansion = AliasExpansion()
        var lists: [IncludedList] = []
        do throws(AliasExpansion.Failure<DeliveryFailure>) {
            try expansion.add(
                name, targets, lookup: { name throws(DeliveryFailure) in try self.targets(name) },
                include: { path throws(DeliveryFailure) in
                    let list = try IncludedList(path)
                    lists.append(list)
                    return list.targets
                })
        } catch {
            switch error {
            case .lookup(let failure): throw failure
            case .tooMany:
                throw DeliveryFailure(.temporary, "The alias has too many addresses. (#4.3.5)")
            case .flaw(let name, let words):
                throw DeliveryFailure(
                    .temporary,
                    words: [UInt8]("The alias ") + name
                        + [UInt8](" waits for newaliases, for it is wrong in ") + words
                        + [UInt8](". (#4.3.5)"))
            }
        }
        for list in lists { doubts += list.doubts }
        if expansion.isEmpty {
            // Its owner may be writing it.
            if let empty = lists.first(where: { $0.targets.isEmpty }) { throw empty.failure }
            throw DeliveryFailure(.permanent, "The aliases only mean one another. (#5.4.6)")
        }
        return expansion
    }

    private func targets(_ name: [UInt8]) throws(DeliveryFailure) -> [AliasTarget]? {
        do throws(Errno) {
            guard let data = try database.data(name) else { return nil }
            guard let targets = AliasTarget.decoded(data) else { throw .invalid }
            return targets
        } catch {
            throw DeliveryFailure(unable: "read ", path, error)
        }
    }
}
