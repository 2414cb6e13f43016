namespace ManagedServers.Workflows.Hosts;

/// <summary>The families of systems that the product knows.</summary>
public enum OsFamily
{
    Debian,
    Ubuntu,

    /// <summary>CentOS, RHEL, Rocky, AlmaLinux, Oracle Linux, Fedora.</summary>
    RedHat,

    /// <summary>Not tried: it may work wherever Python 3 and Docker do.</summary>
    Other,
}

public static class OsFamilies
{
    /// <param name="id"><c>ID</c> of os-release.</param>
    /// <param name="like"><c>ID_LIKE</c> of os-release: what it descends from, the nearest first.</param>
    public static OsFamily Of(string id, string like)
    {
        foreach (var word in like.Split(' ').Prepend(id))
        {
            switch (word)
            {
                case "ubuntu":
                    return OsFamily.Ubuntu;
                case "debian":
                    return OsFamily.Debian;
                case "rhel" or "centos" or "fedora" or "rocky" or "almalinux" or "ol":
                    return OsFamily.RedHat;
            }
        }

        return OsFamily.Other;
    }

    /// <summary>As people write it.</summary>
    public static string Name(this OsFamily family) => family switch
    {
        OsFamily.Debian => "Debian",
        OsFamily.Ubuntu => "Ubuntu",
        OsFamily.RedHat => "CentOS/RHEL family",
        _ => "another system",
    };
}
