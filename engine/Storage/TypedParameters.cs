using System.Collections;
using System.Data;
using Dapper;
using Npgsql;
using NpgsqlTypes;

namespace ManagedServers.Engine;

/// <summary>Parameters of a statement that every step sends: Npgsql would look for the type of each null among all that it knows, each time.</summary>
internal sealed class TypedParameters : SqlMapper.IDynamicParameters, IEnumerable
{
    private readonly List<NpgsqlParameter> all = [];

    public void Add(string name, NpgsqlDbType type, object? value) => all.Add(new NpgsqlParameter(name, type) { Value = value ?? DBNull.Value });

    public void AddParameters(IDbCommand command, SqlMapper.Identity identity)
    {
        foreach (var parameter in all)
        {
            command.Parameters.Add(parameter);
        }
    }

    public IEnumerator GetEnumerator() => all.GetEnumerator();
}
