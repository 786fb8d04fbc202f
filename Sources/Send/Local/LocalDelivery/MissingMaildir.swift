import ByteText
import DotQmail
import Posix

/// Which maildir that is not there is made at a delivery: the one that users get who say nothing, however a line writes it,
/// and one of that name elsewhere in the home folder.
///
/// Any other's name may be a slip of the pen, and mail in it would be lost to its owner.
enum MissingMaildir {
    /// Where to make it, a path from the working folder, which is the home.
    ///
    /// A path through a link, but for the default delivery's own words, leads nowhere: what a link of the home leads to may
    /// be outside it.
    ///
    /// - Parameters:
    ///   - path: A line's, from the home or absolute.
    ///   - fallback: The default delivery.
    /// - Returns: Nil when it is not to be made.
    static func place(of path: [UInt8], fallback: [UInt8]) -> [UInt8]? {
        let defaults = maildirs(of: fallback)
        if defaults.contains(path) { return path }
        guard let steps = stepsFromHome(path), let name = steps.last,
            defaults.contains(where: { components($0).last == name })
        else { return nil }
        var place = [UInt8(ascii: ".")]
        for (i, step) in steps.enumerated() {
            place += [UInt8(ascii: "/")] + step
            guard isFolder(place, orMissing: i == steps.count - 1) else { return nil }
        }
        return place
    }

    private static func maildirs(of delivery: [UInt8]) -> [[UInt8]] {
        do throws(DotQmail.Flaw) {
            return try DotQmail(delivery).instructions.compactMap {
                if case .maildir(let path) = $0 { path } else { nil }
            }
        } catch {
            return []
        }
    }

    /// The names that a path goes through.
    private static func components(_ path: [UInt8]) -> [[UInt8]] {
        path.split(separator: UInt8(ascii: "/")).map { Array($0) }.filter { !$0.equals(".") }
    }

    /// Those below the home folder; nil when the path does not come from there, or goes up.
    private static func stepsFromHome(_ path: [UInt8]) -> [[UInt8]]? {
        let steps = components(path)
        if steps.contains(where: { $0.equals("..") }) { return nil }
        if path.first != UInt8(ascii: "/") { return steps }
        do throws(Errno) {
            let home = try FileStatus(following: [UInt8(ascii: ".")])
            var folder: [UInt8] = []
            for (i, step) in steps.enumerated() {
                folder += [UInt8(ascii: "/")] + step
                let status = try FileStatus(following: folder)
                if status.inode == home.inode, status.device == home.device {
                    return Array(steps[(i + 1)...])
                }
            }
        } catch {
            // The path ends before it comes to the home.
        }
        return nil
    }

    private static func isFolder(_ path: [UInt8], orMissing: Bool) -> Bool {
        do throws(Errno) { return try FileStatus(of: path).kind == .directory } catch {
            return orMissing && error == .noSuchFile
        }
    }
}
