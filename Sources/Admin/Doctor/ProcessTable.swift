import AdminReport
import ByteText
import Posix

/// What proc(5) tells of the processes of the machine.
struct ProcessTable {
    private let folder: [UInt8]

    init(of machine: Machine) { folder = machine.processes }

    private var processes: [String] {
        Machine.names(folder).filter { $0.allSatisfy { $0.isNumber } }
    }

    private func text(_ path: String) -> String? {
        do throws(Errno) {
            let bytes = try Files.contents(folder + Array("/\(path)".utf8), limit: 1 << 22)
            return String(decoding: bytes, as: UTF8.self)
        } catch {
            return nil
        }
    }

    /// The process ids of the programs of a name.
    func identifiers(of name: String) -> [String] {
        processes.filter { self.name(of: $0) == name }
    }

    /// The name of a process's program, of a script that of its file.
    func name(of process: String) -> String? {
        text(process + "/comm").map { String(printable: Array($0.utf8).trimmed) }
    }

    /// AppArmor's profile of a process and its mode, for instance `qhpsi-clamd (enforce)`.
    func confinement(of process: String) -> String? {
        text(process + "/attr/current").map { String(printable: Array($0.utf8).trimmed) }
    }

    /// The supplementary groups of a process.
    func groups(of process: String) -> [UInt32] {
        guard let status = text(process + "/status") else { return [] }
        for line in status.split(separator: "\n") where line.hasPrefix("Groups:") {
            return line.dropFirst(7).split { $0 == " " || $0 == "\t" }.compactMap { UInt32($0) }
        }
        return []
    }

    /// The inodes of the sockets that listen on a TCP port; see proc_net_tcp.
    func listeners(onPort port: Int) -> Set<String> {
        var inodes: Set<String> = []
        for table in ["net/tcp", "net/tcp6"] {
            for line in (text(table) ?? "").split(separator: "\n").dropFirst() {
                let words = line.split(separator: " ")
                guard words.count > 9, words[3] == "0A",
                    let colon = words[1].lastIndex(of: ":"),
                    Int(words[1][words[1].index(after: colon)...], radix: 16) == port
                else { continue }
                inodes.insert(String(words[9]))
            }
        }
        return inodes
    }

    /// The names of the programs that hold one of the sockets; of others' programs only root sees that.
    func holders(of inodes: Set<String>) -> [String] {
        let links = Set(inodes.map { "socket:[\($0)]" })
        var names: [String] = []
        for process in processes {
            let descriptors = folder + Array("/\(process)/fd".utf8)
            for number in Machine.names(descriptors) {
                guard let target = target(descriptors + Array("/\(number)".utf8)),
                    links.contains(target), let name = name(of: process)
                else { continue }
                if !names.contains(name) { names.append(name) }
                break
            }
        }
        return names
    }

    private func target(_ path: [UInt8]) -> String? {
        do throws(Errno) { return String(printable: try Files.linkTarget(path)) } catch {
            return nil
        }
    }
}
